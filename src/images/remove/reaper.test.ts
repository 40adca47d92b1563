import { expect, test } from "bun:test";
import { until } from "../../../tests/harness/until.ts";
import { silentLogger } from "../../lib/log.ts";
import type { Snapshots } from "../../snapshots/contract.ts";
import { State } from "../../state/database.ts";
import { Leases } from "../../state/leases.ts";
import { ImageStore } from "../store.ts";
import { LayerReaper } from "./reaper.ts";

interface Start {
  layers: string[];
  /** those that a container stands on */
  under?: string[];
  /** those of an image */
  image?: string[];
  /** how long the removal of one holds the thread */
  removalMs?: number;
}

/** A reaper as it is at an engine's start. */
function started({ layers, under = [], image = [], removalMs = 0 }: Start) {
  const state = State.inMemory();
  const there = new Set(layers);
  const counts = { layersAsked: 0, heldRead: 0 };
  let snapshotGone = (): void => undefined;
  const hasContainer = () => state.db.query("SELECT 1 FROM containers").get() !== null;
  const snapshots = {
    layer: (diffId: string) => (there.has(diffId) ? { diffId, size: 1 } : undefined),
    isLayerUsed: (diffId: string) => {
      counts.layersAsked++;
      return hasContainer() && under.includes(diffId);
    },
    removeLayer: (diffId: string) => {
      const until = performance.now() + removalMs;
      while (performance.now() < until);
      there.delete(diffId);
    },
    onRemoved: (listener: () => void) => {
      snapshotGone = listener;
    },
  } as unknown as Snapshots;
  const leases = new Leases(state);
  const held = leases.held.bind(leases);
  leases.held = (kind) => {
    counts.heldRead++;
    return held(kind);
  };
  state.db
    .query(
      "INSERT INTO containers (id, name, image_id, spec, state, created_at) VALUES ('c', 'n', 'i', ?, '{}', 0)",
    )
    .run(JSON.stringify({ layers: under }));
  const store = new ImageStore(state);
  const text = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: image },
  });
  if (image.length > 0) store.add({ id: "i", text, size: 1 }, []);
  const reaper = new LayerReaper({ state, store, snapshots, leases, logger: silentLogger });
  counts.heldRead = 0;
  /** Done once so many layers are left: a slow machine may have the reaper pause between two. */
  const removeContainer = async (left: number): Promise<void> => {
    state.db.run("DELETE FROM containers");
    snapshotGone();
    await nextTurn();
    await until(
      () => there.size,
      (size) => size === left,
      { everyMs: 1 },
    );
  };
  return { reaper, leases, there, counts, removeContainer, snapshotGone: () => snapshotGone() };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const many = Array.from({ length: 40 }, (_, index) => `l${index}`);

test("layers of an image that went before the engine's start go with their last container", async () => {
  const here = started({ layers: ["a", "b", "other"], under: ["a", "b"] });
  await here.removeContainer(1);
  expect([...here.there]).toEqual(["other"]);
});

test("what an image has at the engine's start stays when its container goes, and is not looked at", async () => {
  const diffId = `sha256:${"a".repeat(64)}`;
  const here = started({ layers: [diffId], under: [diffId], image: [diffId] });
  await here.removeContainer(1);
  expect([...here.there]).toEqual([diffId]);
  expect(here.counts).toEqual({ layersAsked: 0, heldRead: 0 });
});

test("ends of leases and snapshots are looked at once a turn, and no further while a container stands there", async () => {
  const here = started({ layers: ["a"], under: ["a"] });
  for (let times = 0; times < 10; times++) {
    here.leases.open().end();
    here.snapshotGone();
  }
  await nextTurn();
  expect(here.counts).toEqual({ layersAsked: 1, heldRead: 0 });
  await here.removeContainer(0);
  expect(here.there.size).toBe(0);
});

test("a long removal pauses, and what is held since then stays", async () => {
  const here = started({ layers: many, removalMs: 1 });
  const lease = here.leases.open();
  setImmediate(() => lease.hold("layer", "l39"));
  const gone = await here.reaper.discard(many);
  expect([...here.there]).toEqual(["l39"]);
  expect(gone).toEqual(many.slice(0, -1));
});

test("a writer that begins in a pause has the rest deleted when it ends", async () => {
  const here = started({ layers: many, removalMs: 1 });
  const writing = Promise.withResolvers<void>();
  const writer = nextTurn().then(() => here.reaper.whileWriting(() => writing.promise));
  const gone = await here.reaper.discard(many);
  expect(gone.length).toBeLessThan(many.length);
  expect(here.there.size).toBe(many.length - gone.length);
  writing.resolve();
  await writer;
  expect(here.there.size).toBe(0);
});

test("what is held is not read again for every layer that goes", async () => {
  const here = started({ layers: many });
  await here.reaper.discard(many);
  expect(here.there.size).toBe(0);
  expect(here.counts.heldRead).toBeLessThan(many.length);
});
