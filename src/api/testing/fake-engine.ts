import type { Engine } from "../../engine/contract.ts";
import { silentLogger } from "../../lib/log.ts";
import { EventBus } from "../../state/events.ts";

/**
 * An engine for tests of the API: `parts` are the service methods a test needs, every other one fails by name.
 *
 *     fakeEngine({ containers: { list: async () => [] } })
 */
export function fakeEngine(parts: { [Service in keyof Engine]?: unknown } = {}): Engine {
  return {
    containers: service("containers", parts.containers),
    images: service("images", parts.images),
    volumes: service("volumes", parts.volumes),
    networks: service("networks", parts.networks),
    builds: service("builds", parts.builds),
    registries: service("registries", parts.registries),
    prune: service("prune", parts.prune),
    volumeOperations: service("volumeOperations", parts.volumeOperations),
    gc: service("gc", parts.gc),
    buildkit: async () => service("buildkit", parts.buildkit),
    diskUsage: async () => ({ LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] }),
    events: new EventBus(),
    logger: silentLogger,
    serverVersion: "28.5.2+berth.test",
    version: () => ({ Version: "28.5.2+berth.test", ApiVersion: "1.51" }) as ReturnType<Engine["version"]>,
    info: async () => ({ ID: "test" }) as Awaited<ReturnType<Engine["info"]>>,
    ...(parts.events ? { events: parts.events as EventBus } : {}),
  };
}

function service<Service extends object>(name: string, parts: unknown): Service {
  return new Proxy((parts ?? {}) as Service, {
    get: (target, key) => {
      if (key in target) return Reflect.get(target, key);
      throw new Error(`the test gave no ${name}.${String(key)}`);
    },
  });
}
