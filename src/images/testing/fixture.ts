import { createHash } from "node:crypto";
import type { ContentStore } from "../../content/contract.ts";
import type { DistributionOptions } from "../../distribution/contract.ts";
import { openDistribution } from "../../distribution/open.ts";
import { EngineError } from "../../lib/errors.ts";
import { silentLogger } from "../../lib/log.ts";
import type { Layer, Snapshots } from "../../snapshots/contract.ts";
import { State } from "../../state/database.ts";
import { EventBus } from "../../state/events.ts";
import { Leases } from "../../state/leases.ts";
import { decompress } from "../../system/compression/decompress.ts";
import type { Images, ImageUser } from "../contract.ts";
import { openImages } from "../open.ts";

/** For tests: the images service over a database in memory and layers that are only numbers. */
export interface Fixture {
  images: Images;
  state: State;
  leases: Leases;
  /** sizes of the layers that are there, by diff id */
  layers: Map<string, number>;
  /** `action name` of every event so far */
  events(): string[];
  users: Map<string, ImageUser[]>;
  /** the service opened again over the same state */
  reopen(): Images;
  remove(name: string, options?: { force?: boolean; prune?: boolean }): Promise<string[]>;
  list(filters?: Record<string, string[]>, all?: boolean): string[];
}

/** Layers whose bytes are hashed and counted, and thrown away. A layer of the text "bad" is no tar. */
function fakeSnapshots(layers: Map<string, number>): Snapshots {
  const layer = (diffId: string): Layer | undefined => {
    const size = layers.get(diffId);
    return size === undefined ? undefined : { diffId, size };
  };
  const fake = {
    driver: "overlay2",
    layer,
    layers: () => [...layers].map(([diffId, size]) => ({ diffId, size })),
    async apply(
      source: AsyncIterable<Uint8Array>,
      { progress }: { progress?: (bytes: number) => void } = {},
    ): Promise<Layer> {
      const hash = createHash("sha256");
      let size = 0;
      for await (const bytes of decompress(source)) {
        hash.update(bytes);
        size += bytes.length;
        progress?.(size);
      }
      if (size === "bad".length) throw new EngineError("invalid", "unexpected EOF");
      const diffId = `sha256:${hash.digest("hex")}`;
      layers.set(diffId, size);
      return { diffId, size };
    },
    onRemoved: () => undefined,
    isLayerUsed: () => false,
    removeLayer: (diffId: string) => void layers.delete(diffId),
    imageGraphDriver: () => ({ Name: "overlay2", Data: {} }),
  };
  return fake as unknown as Snapshots;
}

const noContent = { list: () => pieces(new Uint8Array()) } as unknown as ContentStore;

export const noRegistries: DistributionOptions = {
  insecureRegistries: [],
  mirrors: {},
  proxies: { http: "", https: "", exceptions: "" },
  certificateFolders: [],
  stallMs: 5000,
  userAgent: "berth/test",
};

export function fixture(): Fixture {
  const state = State.inMemory();
  const leases = new Leases(state);
  const events = new EventBus();
  const layers = new Map<string, number>();
  const users = new Map<string, ImageUser[]>();
  const reopen = () =>
    openImages({
      state,
      content: noContent,
      distribution: openDistribution(noRegistries),
      limits: { downloads: 3, uploads: 5, downloadAttempts: 5, layerBytes: 0 },
      snapshots: fakeSnapshots(layers),
      events,
      leases,
      logger: silentLogger,
      engineVersion: "1.2.3",
    });
  const images = reopen();
  return {
    images,
    state,
    leases,
    layers,
    users,
    reopen,
    events: () => events.since(0n).map(({ Action, Actor }) => `${Action} ${Actor.Attributes["name"]}`),
    remove: async (name, { force = false, prune = true } = {}) =>
      (await images.remove(name, { force, prune, users: (id) => users.get(id) ?? [] })).map((item) =>
        "Untagged" in item ? `Untagged ${item.Untagged}` : `Deleted ${item.Deleted}`,
      ),
    list: (filters = {}, all = false) =>
      images
        .list(
          { all, filters: new Map(Object.entries(filters)), sharedSize: false },
          (id) => users.get(id)?.length ?? 0,
        )
        .map(({ RepoTags, Id }) => RepoTags.join(" ") || Id),
  };
}

/** Bytes as a stream, in pieces. */
export async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
