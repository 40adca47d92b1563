import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import type { PackedPart } from "../system/compression/compress.ts";

/**
 * Snapshots: layers and what is stacked from them.
 *
 * A *layer* is a read-only folder, the unpacked form of one layer tar, named by its diff id (SHA-256 of the
 * uncompressed tar). Each is unpacked by itself, so the layers of an image unpack side by side and are shared by all
 * images that have them. Whiteouts in it are in the driver's own form (overlay: 0:0 character devices and the opaque
 * xattr), so a layer folder is an overlay lower directory as it is.
 *
 * A *snapshot* is the writable stack of one container, named by a key (the container's id): `prepare` makes it,
 * `mount` puts its root at `rootPath(key)`, `unmount` takes it away, `remove` deletes it. The writes of a container are
 * `changes` (for `diff`). `commit` makes them a layer.
 *
 * Everything that may take over a millisecond runs off the main thread. Layers appear in the database (`layers`) in
 * the transaction that adopts their finished folder; anything else below the roots is swept at start. Files are synced
 * to the disk behind the answer, once for all layers of a burst; what a power cut caught before that is checked at the
 * next start and dropped where damaged (`durability.ts`).
 */
export interface Layer {
  diffId: string;
  /** bytes of the regular files in it, and of symlinks' texts */
  size: number;
}

export interface ApplyLimits {
  /** unpacked bytes; default 1 TiB less than which the disk decides, and no decompression bomb (`system/compression/decompress`) */
  bytes?: number;
  /** entries; default 10 million */
  entries?: number;
}

export interface ApplyOptions {
  /** refuse (kind `invalid`) when the uncompressed tar has another digest */
  diffId?: string;
  limits?: ApplyLimits;
  signal?: AbortSignal;
  /** called now and then with the compressed bytes read so far */
  progress?: (bytes: number) => void;
  /**
   * `layer` (default): whiteouts are layer whiteouts. `root`: the tar is a whole root file system (`import`), in which
   * a name that begins with `.wh.` is refused.
   */
  kind?: "layer" | "root";
}

export interface SnapshotChange {
  /** absolute path in the container */
  path: string;
  /** Docker's numbers: 0 modified, 1 added, 2 deleted */
  kind: 0 | 1 | 2;
}

export interface MountOptions {
  /** no syncing: for snapshots that a crash may lose (`--rm`, build steps) */
  volatile?: boolean;
  /** the layers alone, without what every container gets besides */
  bare?: boolean;
  /** below the layers lie the targets of a build step's mounts, and not all that a container gets (`overlay2` alone) */
  step?: boolean;
  /** owners are shown as remapped containers have them; on the disk they are as in any other container */
  remapped?: boolean;
}

export interface CommitOptions {
  /**
   * Unmounts the snapshot and makes its written folder the layer, by a rename: each file is read once for the diff id,
   * and nothing is copied (a build step's cheap end). The snapshot's key is free afterwards; when it fails, what was
   * written is lost.
   */
  consume?: boolean;
  /**
   * With `consume`: who wrote the folder has told its tar meanwhile, as a record beside it (`record.ts`), and left it as
   * the tar says. Nothing is read again then.
   */
  told?: ToldTar;
  /** With `consume`: the size tells of regular files alone, as that of BuildKit's layers, and of no symlink's text. */
  plainSize?: boolean;
  /**
   * No time in the layer is later, seconds since the epoch (`vfs` alone, where what was written lies among all that was
   * there: a written folder of `overlay2` is given its times before).
   */
  latest?: number;
}

/** A layer tar that was told while its files were written. */
export interface ToldTar {
  diffId: string;
  /** bytes of the regular files and symlinks */
  size: number;
  /** bytes of the uncompressed tar */
  tarSize: number;
  /** CRC-32 of the uncompressed tar */
  checksum: number;
}

export interface SnapshotUsage {
  size: number;
  files: number;
}

export interface Snapshots {
  /** The driver in use, as `info` tells it: "overlay2" or "vfs". */
  readonly driver: "overlay2" | "vfs";
  readonly driverStatus: [string, string][];

  layer(diffId: string): Layer | undefined;
  layers(): Layer[];
  /**
   * Unpacks one layer tar; the compression (none, gzip, zstd, xz, bzip2) is told from its first bytes. Of two calls with
   * the same `diffId` at once neither waits for the other's source: both work, and what the first made is kept. `source`
   * is consumed to its end even past the tar's end marker.
   */
  apply(source: AsyncIterable<Uint8Array>, options?: ApplyOptions): Promise<Layer>;
  /** The layer as the tar it came in: its SHA-256 is its diff id. Fails at its end where the layer is damaged. */
  layerTar(diffId: string): ReadableStream<Uint8Array>;
  /** That tar packed: the same bytes each time. Fails where the tar would. */
  layerBlob(diffId: string, how: LayerCompression): AsyncGenerator<PackedPart, void>;
  /** Bytes of that tar, without reading it. */
  layerTarSize(diffId: string): Promise<number>;
  /** Whether a snapshot stands on the layer: told from memory. */
  isLayerUsed(diffId: string): boolean;
  /** At once, though its files go in the background. Throws `conflict` where a snapshot stands on it. */
  removeLayer(diffId: string): void;
  /** Reads all of a layer again. Rejects, saying what is wrong, where it is not what its digest says. */
  verifyLayer(diffId: string): Promise<void>;
  /**
   * Takes a damaged layer out of sight while `work` brings it again; where it did not, the damaged one is back. Snapshots
   * that stand on the old one keep its folder. Tells whether it was replaced.
   */
  replaceLayer(diffId: string, work: () => Promise<void>): Promise<boolean>;
  /** Lines of JSON (`LayerLine`, and with `files` `LayerNameLine`): what each layer does to those below. */
  layerReport(layers: readonly string[], files: boolean): ReadableStream<Uint8Array>;
  /** Lines of JSON (`DifferenceLine`): what differs between two stacks of layers. */
  compare(before: readonly string[], after: readonly string[]): ReadableStream<Uint8Array>;
  /** The tar of one layer that shows over `base` what these show. */
  merged(layers: readonly string[], base: readonly string[]): ReadableStream<Uint8Array>;

  /** Makes a writable snapshot over `layers` (diff ids, lowest first). */
  prepare(key: string, layers: readonly string[]): Promise<void>;
  /** Mounts it and returns its root path; mounting what is mounted is a success. */
  mount(key: string, options?: MountOptions): Promise<string>;
  /**
   * A snapshot to read only: `layers` alone, without what every container gets besides. Gives its root; `remove` ends it.
   */
  view(key: string, layers: readonly string[], options?: Pick<MountOptions, "remapped">): Promise<string>;
  /**
   * Where a file or folder of the data root is with its owners shown as remapped containers have them: for binds.
   * Undefined where nothing is remapped, where it is none of the data root's, and where another file system is mounted.
   */
  remappedPath(path: string): string | undefined;
  unmount(key: string): Promise<void>;
  rootPath(key: string): string;
  /** Unmounts and deletes; the name is free at once, the files may go in the background. */
  remove(key: string): Promise<void>;
  /** Tells when a snapshot has gone: its layers may be free now. */
  onRemoved(listener: () => void): void;
  /** Every snapshot key on disk. */
  keys(): Promise<string[]>;
  changes(key: string): Promise<SnapshotChange[]>;
  /** The writable part's size. */
  usage(key: string): Promise<SnapshotUsage>;
  /** The writable part as a new layer; the snapshot stays as it is, or with `consume` is gone. */
  commit(key: string, options?: CommitOptions): Promise<Layer>;
  /** `inspect`'s GraphDriver of a snapshot. */
  graphDriver(key: string): { Name: string; Data: Record<string, string> };
  /** `inspect`'s GraphDriver of an image with these layers. */
  imageGraphDriver(layers: readonly string[]): { Name: string; Data: Record<string, string> };
  /** At start: deletes folders that no layer row and no key in `keep` names, and temporary ones. */
  sweep(keep: { keys: ReadonlySet<string> }): Promise<void>;
  close(): Promise<void>;
}
