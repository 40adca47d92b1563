import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { EngineError, isKind, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { IdMap } from "../lib/users/id-map.ts";
import type { State } from "../state/database.ts";
import { spreadFolders } from "../system/files/spread.ts";
import type { Snapshots } from "./contract.ts";
import type { Driver } from "./drivers/driver.ts";
import { OverlayDriver, tryOverlay } from "./drivers/overlay.ts";
import { VfsDriver } from "./drivers/vfs.ts";
import { Durability } from "./durability.ts";
import { makeInitLayer, makeStepLayer } from "./init-layer.ts";
import { Layers } from "./layers.ts";
import { type Paths, pathsOf } from "./paths.ts";
import { SnapshotsPool } from "./pool.ts";
import { openRemappedRoot, type RemappedRoot } from "./remapped-root.ts";
import { SnapshotService } from "./service.ts";
import { Trash } from "./trash.ts";

interface SnapshotsOptions {
  dataRoot: string;
  state: State;
  logger: Logger;
  /** undefined = overlay where the data root can hold it, else the copying driver */
  driver?: DriverName;
  /** the host's owners of what remapped containers have; undefined = none is remapped */
  remap?: IdMap;
}

type DriverName = Driver["name"];

/** Opens the layers and snapshots below a data root. Call `sweep` once the containers are known. */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots> {
  mkdirSync(options.dataRoot, { recursive: true, mode: 0o710 });
  const paths = pathsOf(realpathSync(options.dataRoot));
  for (const folder of [paths.layers, paths.snapshots]) {
    mkdirSync(folder, { recursive: true, mode: 0o710 });
    spreadFolders(folder);
  }
  const trash = new Trash(paths.trash, options.logger);
  const pool = new SnapshotsPool();
  const remapped = await openRemappedRoot(paths, options.dataRoot, options.remap);
  const driver = chooseDriver(options, paths, pool, remapped);
  if (rememberedDriver(options.state) === undefined) rememberDriver(options.state, driver.name);
  makeInitLayer(paths.init);
  makeStepLayer(paths.stepInit);
  const { state, logger } = options;
  const durability = new Durability(state, paths.layers, logger);
  const layers = new Layers({ state, paths, pool, trash, durability, form: driver.form });
  await dropDamaged(layers, durability.suspects(), logger);
  durability.checked();
  return new SnapshotService({ paths, layers, driver, pool, trash, durability, remapped });
}

/** The machine went down before these were synced: what did not reach the disk must not look like a layer. */
async function dropDamaged(layers: Layers, suspects: readonly string[], logger: Logger): Promise<void> {
  for (const diffId of suspects) {
    try {
      await layers.verify(diffId);
    } catch (error) {
      logger.error("a layer did not reach the disk before the machine went down, and is dropped", {
        layer: diffId,
        error: messageOf(error),
      });
      layers.remove(diffId);
    }
  }
}

function chooseDriver(
  { driver, state, logger }: SnapshotsOptions,
  paths: Paths,
  pool: SnapshotsPool,
  remapped: RemappedRoot | undefined,
): Driver {
  const used = rememberedDriver(state);
  if (used !== undefined && driver !== undefined && used !== driver)
    throw new EngineError(
      "conflict",
      `the layers of this data root were made with the storage driver ${used}, and ${driver} cannot read them; use ${used}, or another data root`,
    );
  const wanted = driver ?? used;
  if (wanted === "vfs" && remapped) throw withoutOverlay();
  if (wanted === "vfs") return new VfsDriver(paths, pool);
  try {
    tryOverlay(join(paths.snapshots, "tmp-trial"));
    if (remapped) tryRemapped(paths, remapped);
  } catch (error) {
    if (isKind(error, "unavailable")) throw error;
    const sentence = `overlay cannot be used on ${paths.snapshots}: ${messageOf(error)}`;
    if (wanted === "overlay2" || remapped) throw new EngineError("unavailable", sentence, { cause: error });
    logger.warn(`${sentence}; using the copying driver vfs`);
    return new VfsDriver(paths, pool);
  }
  return new OverlayDriver(paths, backingOf(paths.snapshots), remapped);
}

const withoutOverlay = (): EngineError =>
  new EngineError("invalid", "userns-remap needs the storage driver overlay2: vfs cannot show other owners");

/** An overlay of folders whose owners are mapped: Linux 5.19. */
function tryRemapped(paths: Paths, remapped: RemappedRoot): void {
  try {
    tryOverlay(join(paths.snapshots, "tmp-trial"), remapped);
  } catch (error) {
    throw new EngineError(
      "unavailable",
      `userns-remap cannot be used: this kernel does not mount an overlay of folders with mapped owners (Linux 5.19 does): ${messageOf(error)}`,
      { cause: error },
    );
  }
}

const driverFact = "snapshots.driver";

/** The driver this data root's layers were made with: they are in its form, so the root keeps it while it has any. */
function rememberedDriver(state: State): DriverName | undefined {
  const { layers } = state.db
    .query<{ layers: number }, []>("SELECT count(*) AS layers FROM layers")
    .get() ?? { layers: 0 };
  if (layers === 0) return undefined;
  const read = state.db.query<{ value: string }, [string]>("SELECT value FROM facts WHERE key = ?");
  const name = read.get(driverFact)?.value;
  return name === "overlay2" || name === "vfs" ? name : undefined;
}

function rememberDriver(state: State, name: DriverName): void {
  state.transaction(() =>
    state.db.query("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)").run(driverFact, name),
  );
}

/** The type of the file system a folder is on, from the mount table. */
function backingOf(folder: string): string {
  let best = { point: "", type: "unknown" };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const point = line.split(" ")[4] ?? "";
    const type = line.split(" - ")[1]?.split(" ")[0] ?? "";
    const within = folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`);
    if (within && point.length >= best.point.length) best = { point, type };
  }
  return best.type === "ext4" ? "extfs" : best.type;
}
