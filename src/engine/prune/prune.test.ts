import { expect, test } from "bun:test";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { EventBus } from "../../state/events.ts";
import type { PruneParts } from "./prune.ts";
import { makePrune } from "./prune.ts";

const hour = 3600;
const now = Math.floor(Date.now() / 1000);

/** Three containers, of which one runs and one is started while the prune looks at it. */
function world() {
  const removed: string[] = [];
  const container = (Id: string, State: string, Labels: Record<string, string>, Created: number) => ({
    Id,
    State,
    Labels,
    Created,
  });
  const parts = {
    events: new EventBus(),
    containers: {
      list: async () => [
        container("runs", "running", {}, now),
        container("old", "exited", { k: "v" }, now - 2 * hour),
        container("new", "created", {}, now),
        container("raced", "exited", {}, now),
      ],
      inspect: async () => ({ SizeRw: 10 }),
      remove: async (id: string) => {
        if (id === "raced") throw new EngineError("conflict", "it runs");
        removed.push(id);
      },
      usersOfVolume: (name: string) => (name === "used" ? ["c"] : []),
      usersOfImage: (id: string) => (id === "used" ? [{ containerId: "c", running: false }] : []),
    },
    volumes: {
      list: async () => ({
        volumes: [
          { Name: "used", Driver: "local", Labels: { "com.docker.volume.anonymous": "" } },
          { Name: "anonymous", Driver: "local", Labels: { "com.docker.volume.anonymous": "" } },
          { Name: "named", Driver: "local", Labels: null },
          { Name: "plugged", Driver: "vendor", Labels: { "com.docker.volume.anonymous": "" } },
          {
            Name: "bound",
            Driver: "local",
            Labels: null,
            Options: { type: "none", o: "bind", device: "/srv" },
          },
        ],
      }),
      size: async () => 5,
      remove: async (name: string) => void removed.push(name),
    },
    images: {
      collect: async () => void removed.push("layers of no image"),
      isPinned: () => false,
      list: (options: { filters: Map<string, string[]> }) => {
        const dangling = {
          Id: "dangling",
          RepoTags: ["<none>:<none>"],
          RepoDigests: [],
          Labels: null,
          Created: now,
        };
        const tagged = {
          Id: "tagged",
          RepoTags: ["a:1", "b:1"],
          RepoDigests: [],
          Labels: null,
          Created: now,
        };
        const used = { Id: "used", RepoTags: ["c:1"], RepoDigests: [], Labels: null, Created: now };
        return options.filters.has("dangling") ? [dangling] : [dangling, tagged, used];
      },
      remove: async (name: string) => {
        removed.push(name);
        return [{ Untagged: name }];
      },
    },
    snapshots: { layers: () => [] },
  } as unknown as PruneParts;
  return { prune: makePrune(parts), removed, events: parts.events };
}

const filters = (text: Record<string, string[]> = {}) => new Map(Object.entries(text));

test("containers that do not run go, and one that starts meanwhile is passed over", async () => {
  const { prune, removed, events } = world();
  expect(await prune.containers(filters())).toEqual({
    ContainersDeleted: ["old", "new"],
    SpaceReclaimed: 20,
  });
  expect(removed).toEqual(["old", "new"]);
  expect(events.since(0n)).toMatchObject([
    { Type: "container", Action: "prune", Actor: { Attributes: { reclaimed: "20" } } },
  ]);
});

test("labels and age choose what goes", async () => {
  expect((await world().prune.containers(filters({ label: ["k=v"] }))).ContainersDeleted).toEqual(["old"]);
  expect((await world().prune.containers(filters({ "label!": ["k=v"] }))).ContainersDeleted).toEqual(["new"]);
  expect((await world().prune.containers(filters({ until: ["1h"] }))).ContainersDeleted).toEqual(["old"]);
  expect((await world().prune.containers(filters({ label: ["none"] }))).ContainersDeleted).toBeNull();
  const twice = await world()
    .prune.containers(filters({ until: ["1h", "2h"] }))
    .catch(messageOf);
  expect(twice).toBe("more than one until filter specified");
});

test("anonymous volumes that nothing uses go, named ones only when asked for", async () => {
  expect(await world().prune.volumes(filters())).toEqual({
    VolumesDeleted: ["anonymous"],
    SpaceReclaimed: 5,
  });
  expect((await world().prune.volumes(filters({ all: ["1"] }))).VolumesDeleted).toEqual([
    "anonymous",
    "named",
  ]);
});

test("dangling images go, with dangling=false every one that no container uses, name by name", async () => {
  const some = world();
  await some.prune.images(filters());
  expect(some.removed).toEqual(["dangling", "layers of no image"]);
  const all = world();
  await all.prune.images(filters({ dangling: ["false"] }));
  expect(all.removed).toEqual(["dangling", "a:1", "b:1", "layers of no image"]);
  const old = world();
  await old.prune.images(filters({ until: ["1000h"] }));
  expect(old.removed).toEqual([]);
});
