import type { Containers } from "../../containers/contract.ts";
import type { Images } from "../../images/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { goBool, goBoolError } from "../../lib/go/bool.ts";
import { turns } from "../../lib/turns.ts";
import type { Filters } from "../../lib/wire/filters.ts";
import { booleanFilter } from "../../lib/wire/filters.ts";
import type { Networks } from "../../network/contract.ts";
import type { Snapshots } from "../../snapshots/contract.ts";
import type { EventBus } from "../../state/events.ts";
import type { ImageDeleteItem, ImageSummary, Volume } from "../../types/api.ts";
import type { Volumes } from "../../volumes/contract.ts";
import { conditionsOf } from "./conditions.ts";
import { pruneNetworks } from "./networks.ts";

export interface PruneParts {
  containers: Containers;
  images: Images;
  volumes: Volumes;
  snapshots: Snapshots;
  networks: Networks;
  events: EventBus;
}

/** Removals of what nothing uses. What comes into use meanwhile is passed over, not an error. */
export interface Prune {
  containers(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>;
  /** anonymous ones only, unless the filter `all` says so */
  volumes(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  networks(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>;
  /** dangling ones only, unless `dangling=false` */
  images(filters: Filters): Promise<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }>;
}

export const makePrune = (parts: PruneParts): Prune => ({
  containers: (filters) => pruneContainers(parts, filters),
  volumes: (filters) => pruneVolumes(parts, filters),
  networks: (filters) => pruneNetworks(parts, filters),
  images: (filters) => pruneImages(parts, filters),
});

const stopped: ReadonlySet<string> = new Set(["created", "exited", "dead"]);

async function pruneContainers({ containers, events }: PruneParts, filters: Filters) {
  const conditions = conditionsOf(filters);
  const all = await containers.list({ all: true, size: false, filters: new Map() });
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { Id, State, Labels, Created } of all) {
    if (!stopped.has(State) || !conditions.labels(Labels) || !conditions.age(Created)) continue;
    const gone = await unlessUsed(async () => {
      const { SizeRw = 0 } = await containers.inspect(Id, { size: true });
      await containers.remove(Id, { force: false, volumes: false });
      return SizeRw;
    });
    if (gone === undefined) continue;
    deleted.push(Id);
    reclaimed += gone;
  }
  tell(events, "container", reclaimed);
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}

/** Docker's rule for prune and usage: not what a plugin keeps, nor what only leads to other storage. */
export const isOwnStorage = ({ Driver, Options }: Volume): boolean =>
  Driver === "local" && Object.keys(Options ?? {}).every((option) => option === "size");

const anonymousLabel = "com.docker.volume.anonymous";

/** The filter `all`: named volumes too, not only anonymous ones. */
function takesNamed(filters: Filters): boolean {
  const [value, ...more] = filters.get("all") ?? [];
  if (value === undefined) return false;
  const refuse = (text: string): never => {
    throw new EngineError("invalid", text);
  };
  if (more.length > 0)
    return refuse(`invalid filter 'all=[${[value, ...more].join(" ")}]': only one value is expected`);
  return goBool(value) ?? refuse(`invalid filter 'all': ${goBoolError(value)}`);
}

async function pruneVolumes({ volumes, containers, events }: PruneParts, filters: Filters) {
  const conditions = conditionsOf(filters);
  const everyOne = takesNamed(filters);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { Name, Labels } of (await volumes.list()).volumes.filter(
    (one) => isOwnStorage(one) && !one.Pinned,
  )) {
    if (!everyOne && !(Labels && Object.hasOwn(Labels, anonymousLabel))) continue;
    const users = containers.usersOfVolume(Name);
    if (users.length > 0 || !conditions.labels(Labels)) continue;
    const gone = await unlessUsed(async () => {
      const size = await volumes.size(Name);
      await volumes.remove(Name, { force: false, users: containers.usersOfVolume(Name) });
      return size;
    });
    if (gone === undefined) continue;
    deleted.push(Name);
    reclaimed += gone;
  }
  tell(events, "volume", reclaimed);
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
}

async function pruneImages({ images, containers, snapshots, events }: PruneParts, filters: Filters) {
  const conditions = conditionsOf(filters);
  const dangling = booleanFilter(filters, "dangling", true);
  const users = (id: string) => containers.usersOfImage(id);
  const before = layerBytes(snapshots);
  const summaries = images.list(
    { all: false, filters: dangling ? new Map([["dangling", ["true"]]]) : new Map(), sharedSize: false },
    (id) => users(id).length,
  );
  const deleted: ImageDeleteItem[] = [];
  const turn = turns();
  for (const image of summaries) {
    await turn();
    if (
      images.isPinned(image.Id) ||
      users(image.Id).length > 0 ||
      !conditions.labels(image.Labels) ||
      !conditions.age(image.Created)
    )
      continue;
    for (const name of namesOf(image)) {
      const items = await unlessUsed(() => images.remove(name, { force: false, prune: true, users }));
      deleted.push(...(items ?? []));
    }
  }
  // layers of pulls that broke off wait for the next try, and are no image's: they go with a prune of everything
  if (!filters.has("label") && !filters.has("label!") && !filters.has("until"))
    await images.collect(new Set(), { beginnings: true });
  const reclaimed = Math.max(0, before - layerBytes(snapshots));
  tell(events, "image", reclaimed);
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}

/** Each name on its own, so that the image goes with its last; an image without one goes by its id. */
function namesOf({ Id, RepoTags, RepoDigests }: ImageSummary): string[] {
  const names = [...RepoTags, ...RepoDigests].filter((name) => !name.includes("<none>"));
  return names.length > 0 ? names : [Id];
}

const layerBytes = (snapshots: Snapshots): number =>
  snapshots.layers().reduce((sum, { size }) => sum + size, 0);

/** Undefined where another took it into use, or away, in the meantime. */
async function unlessUsed<Result>(remove: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await remove();
  } catch (error) {
    if (error instanceof EngineError && (error.kind === "conflict" || error.kind === "notFound"))
      return undefined;
    throw error;
  }
}

const tell = (events: EventBus, type: "container" | "image" | "volume", reclaimed: number): void =>
  events.publish({ type, action: "prune", id: "", attributes: { reclaimed: String(reclaimed) } });
