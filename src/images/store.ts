import { EngineError } from "../lib/errors.ts";
import type { State } from "../state/database.ts";
import type { ImageConfig } from "../types/oci.ts";
import { createdNs, parseConfig } from "./config.ts";

/** An image as it is kept: its row, parsed once. */
export interface ImageRecord {
  readonly id: string;
  readonly config: ImageConfig;
  /** diff ids, lowest first */
  readonly layers: readonly string[];
  /** id of the image it was made from here, or "" */
  parent: string;
  /** bytes of all its layers */
  readonly size: number;
  /** nanoseconds since the epoch, as its configuration says */
  readonly createdNs: bigint | undefined;
  /** when a name was last given to it, nanoseconds; 0 = never */
  taggedNs: bigint;
}

interface NewImage {
  id: string;
  /** the exact text that `id` is the digest of */
  text: string;
  size: number;
  parent?: string;
}

interface Row {
  id: string;
  config: string;
  parent: string;
  size: number;
  tagged_at: string;
}

/**
 * The tables `images` and `image_references`, mirrored in memory: reads never touch the disk (`create` resolves an
 * image on its way). Each method that changes something is one transaction and then the same change in memory.
 * References are canonical.
 */
export class ImageStore {
  private readonly state: State;
  private readonly images = new Map<string, ImageRecord>();
  private readonly references = new Map<string, string>();
  private readonly byImage = new Map<string, Set<string>>();

  constructor(state: State) {
    this.state = state;
    for (const row of this.rows()) this.remember(row);
    const named = state.db.query<{ reference: string; image_id: string }, []>(
      "SELECT reference, image_id FROM image_references",
    );
    for (const { reference, image_id } of named.all()) this.name(reference, image_id);
  }

  get(id: string): ImageRecord | undefined {
    return this.images.get(id);
  }

  /** The exact text that an image's id is the digest of. */
  text(id: string): string {
    const row = this.state.db
      .query<{ config: string }, [string]>("SELECT config FROM images WHERE id = ?")
      .get(id);
    if (row) return row.config;
    throw new EngineError("notFound", `No such image: ${id}`);
  }

  all(): IterableIterator<ImageRecord> {
    return this.images.values();
  }

  get size(): number {
    return this.images.size;
  }

  /** The id a reference names. */
  named(reference: string): string | undefined {
    return this.references.get(reference);
  }

  /** The references of an image, sorted. */
  referencesOf(id: string): string[] {
    return [...(this.byImage.get(id) ?? [])].sort();
  }

  /** The references that begin with `prefix`, sorted. */
  namesIn(prefix: string): string[] {
    return [...this.references.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  childrenOf(id: string): ImageRecord[] {
    return [...this.images.values()].filter((image) => image.parent === id);
  }

  /** The one image whose id begins with these hex digits; undefined where none or several do. */
  byPrefix(hex: string): ImageRecord | undefined {
    let found: ImageRecord | undefined;
    for (const image of this.images.values()) {
      if (!image.id.startsWith(hex, "sha256:".length)) continue;
      if (found) return undefined;
      found = image;
    }
    return found;
  }

  /** Adds an image (one that is there stays) and gives it names, in one transaction. */
  add(image: NewImage, references: readonly string[], taggedNs?: bigint): ImageRecord {
    const row: Row = {
      id: image.id,
      config: image.text,
      parent: image.parent ?? "",
      size: image.size,
      tagged_at: "0",
    };
    this.state.transaction(() => {
      this.state.db
        .query(
          "INSERT OR IGNORE INTO images (id, config, parent, size, created_at, tagged_at) VALUES (?, ?, ?, ?, ?, 0)",
        )
        .run(row.id, row.config, row.parent, row.size, clamp(createdNs(parseConfig(row.config)) ?? 0n));
      for (const reference of references) this.writeReference(reference, image.id, taggedNs);
    });
    const record = this.images.get(image.id) ?? this.remember(row);
    for (const reference of references) this.name(reference, image.id);
    if (references.length > 0 && taggedNs !== undefined) record.taggedNs = taggedNs;
    return record;
  }

  /** Gives an image that is here more names, in one transaction. */
  addNames(id: string, references: readonly string[]): ImageRecord {
    this.state.transaction(() => {
      for (const reference of references) this.writeReference(reference, id, undefined);
    });
    for (const reference of references) this.name(reference, id);
    const record = this.images.get(id);
    if (record === undefined) throw new EngineError("conflict", `image ${id} was removed meanwhile`);
    return record;
  }

  tag(id: string, reference: string, taggedNs: bigint): void {
    this.state.transaction(() => this.writeReference(reference, id, taggedNs));
    this.name(reference, id);
    const record = this.images.get(id);
    if (record) record.taggedNs = taggedNs;
  }

  /** Takes names away and, when asked, the image with them (and from its children their parent). */
  remove(id: string, references: readonly string[], options: { image: boolean }): void {
    this.state.transaction(() => {
      for (const reference of references)
        this.state.db.query("DELETE FROM image_references WHERE reference = ?").run(reference);
      if (!options.image) return;
      this.state.db.query("DELETE FROM images WHERE id = ?").run(id);
    });
    for (const reference of references) this.unname(reference);
    if (!options.image) return;
    this.images.delete(id);
    this.byImage.delete(id);
  }

  private rows(): Row[] {
    return this.state.db
      .query<Row, []>("SELECT id, config, parent, size, CAST(tagged_at AS TEXT) AS tagged_at FROM images")
      .all();
  }

  private remember(row: Row): ImageRecord {
    const config = parseConfig(row.config);
    const record: ImageRecord = {
      id: row.id,
      config,
      layers: config.rootfs.diff_ids,
      parent: row.parent,
      size: row.size,
      createdNs: createdNs(config),
      taggedNs: BigInt(row.tagged_at),
    };
    this.images.set(row.id, record);
    return record;
  }

  private writeReference(reference: string, id: string, taggedNs: bigint | undefined): void {
    this.state.db
      .query("INSERT OR REPLACE INTO image_references (reference, image_id) VALUES (?, ?)")
      .run(reference, id);
    if (taggedNs !== undefined)
      this.state.db.query("UPDATE images SET tagged_at = ? WHERE id = ?").run(taggedNs, id);
  }

  private name(reference: string, id: string): void {
    this.unname(reference);
    this.references.set(reference, id);
    const names = this.byImage.get(id) ?? new Set();
    names.add(reference);
    this.byImage.set(id, names);
  }

  private unname(reference: string): void {
    const id = this.references.get(reference);
    if (id !== undefined) this.byImage.get(id)?.delete(reference);
    this.references.delete(reference);
  }
}

/** The column holds 64 bits; a configuration may name any year. */
const clamp = (ns: bigint): bigint => (BigInt.asIntN(64, ns) === ns ? ns : 0n);
