import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContent } from "../../content/store.ts";
import type { DistributionOptions } from "../../distribution/contract.ts";
import { openDistribution } from "../../distribution/open.ts";
import { EngineError } from "../../lib/errors.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { silentLogger } from "../../lib/log.ts";
import type { ApplyOptions, Layer, Snapshots } from "../../snapshots/contract.ts";
import { State } from "../../state/database.ts";
import { EventBus } from "../../state/events.ts";
import { Leases } from "../../state/leases.ts";
import { pack } from "../../system/compression/compress.ts";
import { decompress } from "../../system/compression/decompress.ts";
import type { PullRequest } from "../contract.ts";
import { openImages } from "../open.ts";
import { FakeRegistry } from "./fake-registry.ts";
import { noRegistries } from "./fixture.ts";

/** For tests of pulls: the images service over a fake registry, with layers that are hashed and thrown away. */
export async function pullFixture(options: Partial<DistributionOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), "berth-pull-"));
  const registry = await FakeRegistry.start();
  const state = State.inMemory();
  const events = new EventBus();
  const layers = new Map<string, number>();
  const distribution = openDistribution({ ...noRegistries, ...options });
  const images = openImages({
    state,
    content: openContent(root),
    distribution,
    limits: { downloads: 3, uploads: 5, downloadAttempts: 2, layerBytes: 0 },
    snapshots: fakeSnapshots(state, layers),
    events,
    leases: new Leases(state),
    logger: silentLogger,
    engineVersion: "test",
  });
  const pull = async (
    name: string,
    more: Partial<PullRequest> = {},
    listen: (line: string) => void = () => undefined,
  ): Promise<string[]> => {
    const request: PullRequest = {
      reference: parseReference(`${registry.host}/${name}`),
      allTags: false,
      signal: new AbortController().signal,
      ...more,
    };
    const told: string[] = [];
    for await (const { id, status } of images.pull(request)) {
      told.push(id ? `${id}: ${status}` : (status ?? ""));
      listen(told.at(-1) ?? "");
    }
    return told;
  };
  const push = async (name: string): Promise<string[]> => {
    const request = {
      reference: parseReference(`${registry.host}/${name}`),
      signal: new AbortController().signal,
    };
    const told: string[] = [];
    for await (const { id, status } of images.push(request))
      told.push(id ? `${id}: ${status}` : (status ?? ""));
    return told.filter((line) => line !== "");
  };
  return {
    registry,
    images,
    push,
    layers,
    distribution,
    pull,
    events: () => events.since(0n).map(({ Action, Actor }) => `${Action} ${Actor.ID}`),
    /** sizes of what is kept of broken downloads */
    partials: () => readdirSync(join(root, "content/partial")),
    close: async () => {
      await registry.stop();
      state.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function fakeSnapshots(state: State, layers: Map<string, number>): Snapshots {
  const layer = (diffId: string): Layer | undefined => {
    const size = layers.get(diffId);
    return size === undefined ? undefined : { diffId, size };
  };
  const insert = "INSERT OR IGNORE INTO layers (diff_id, folder, size, created_at) VALUES (?1, ?1, 1, 1)";
  const tars = new Map<string, Uint8Array>();
  const fake: Partial<Snapshots> = {
    layer,
    layers: () => [...layers].map(([diffId, size]) => ({ diffId, size })),
    async apply(source: AsyncIterable<Uint8Array>, options: ApplyOptions = {}) {
      const hash = createHash("sha256");
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const bytes of decompress(source, { inPlace: true })) {
        options.signal?.throwIfAborted();
        hash.update(bytes);
        size += bytes.length;
        pieces.push(bytes.slice());
      }
      const diffId = `sha256:${hash.digest("hex")}`;
      if (options.diffId !== undefined && options.diffId !== diffId)
        throw new EngineError("invalid", `invalid diffID: expected "${options.diffId}", got "${diffId}"`);
      state.db.query(insert).run(diffId);
      layers.set(diffId, size);
      tars.set(diffId, Buffer.concat(pieces));
      return { diffId, size };
    },
    layerBlob: (diffId, how) => {
      const tar = Buffer.from(tars.get(diffId) ?? []);
      let at = 0;
      const fill = (memory: Buffer): number => {
        const length = tar.copy(memory, 0, at);
        at += length;
        return length;
      };
      return pack(fill, how);
    },
    layerTar: (diffId) => new Blob([tars.get(diffId) as Uint8Array<ArrayBuffer>]).stream(),
    onRemoved: () => undefined,
    isLayerUsed: () => false,
    removeLayer: (diffId) => void layers.delete(diffId),
  };
  return fake as Snapshots;
}
