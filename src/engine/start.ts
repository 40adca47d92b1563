import { hostname } from "node:os";
import type { OpenedBuilds } from "../build/open.ts";
import { openBuilds } from "../build/open.ts";
import type { Containers } from "../containers/contract.ts";
import { openContainers } from "../containers/open.ts";
import { openContent } from "../content/store.ts";
import type { Distribution } from "../distribution/contract.ts";
import { loopbackNetworks } from "../distribution/hosts/insecure.ts";
import { openDistribution } from "../distribution/open.ts";
import type { TransferLimits } from "../images/deps.ts";
import { openImages } from "../images/open.ts";
import type { Logger } from "../lib/log.ts";
import type { Networks } from "../network/contract.ts";
import { openNetworks } from "../network/open.ts";
import type { Runtime } from "../runtime/contract.ts";
import { openRuntime } from "../runtime/open.ts";
import type { Snapshots } from "../snapshots/contract.ts";
import { openSnapshots } from "../snapshots/open.ts";
import { State } from "../state/database.ts";
import { EventBus } from "../state/events.ts";
import { Leases } from "../state/leases.ts";
import { openVolumes } from "../volumes/open.ts";
import { LazyBuildkit } from "./buildkit.ts";
import type { EngineConfig } from "./config/config.ts";
import { dropEnvironmentProxies } from "./config/registry-options.ts";
import {
  buildsConfig,
  containersConfig,
  distributionOptions,
  networkOptions,
  runtimeOptions,
  transferLimits,
} from "./config/service-config.ts";
import { readRemap } from "./config/userns-remap.ts";
import type { Engine } from "./contract.ts";
import { collectGarbage, type Gc } from "./gc/collect.ts";
import { Leftovers } from "./gc/leftovers.ts";
import { GcSchedule } from "./gc/schedule.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { serverVersion } from "./info/build-info.ts";
import { diskUsage } from "./info/disk-usage.ts";
import { findInit } from "./info/doctor.ts";
import { InfoReporter } from "./info/info.ts";
import { describeVersion } from "./info/version.ts";
import { makePrune } from "./prune/prune.ts";
import { claimRoots } from "./roots.ts";
import { volumeOperations } from "./volume-operations.ts";

export interface StartedEngine extends Engine {
  /** Takes over the options that may change while it runs, and tells it as an event. */
  reconfigure(config: EngineConfig): void;
  /** Ends the engine; containers run on. */
  stop(): Promise<void>;
}

/**
 * Builds the services, lowest first, finds the containers of the last run again, and clears away what no state names.
 * Nothing answers clients yet when it resolves: the caller binds the sockets.
 */
export async function startEngine(config: EngineConfig, logger: Logger): Promise<StartedEngine> {
  // layers are made with the modes their files are to have: see `umaskSafe`
  process.umask(0o022);
  const release = claimRoots(config);
  const { dataRoot } = config;
  const state = State.open(dataRoot);
  const events = new EventBus();
  const leases = new Leases(state);
  leases.clear();
  const identity = readIdentity(state);
  const initPath = config.initPath ?? findInit();
  const content = openContent(dataRoot);
  const remap = await readRemap(config.usernsRemap, logger);
  const driver = config.storageDriver === undefined ? {} : { driver: config.storageDriver };
  const [snapshots, networks, runtime] = await Promise.all([
    openSnapshots({ dataRoot, state, logger, ...driver, ...(remap === undefined ? {} : { remap }) }),
    openNetworks({ state, events, logger, ...networkOptions(config, identity) }),
    openRuntime({ logger, ...runtimeOptions(config, identity) }),
  ]);
  dropEnvironmentProxies();
  const distribution = openDistribution(distributionOptions(config));
  const limits = transferLimits(config);
  const shared = { state, events, snapshots, logger };
  const images = openImages({
    ...shared,
    ...{ distribution, limits, content, leases },
    engineVersion: serverVersion,
  });
  const volumes = openVolumes({ dataRoot, state, events, logger });
  const containers = openContainers({
    ...shared,
    ...{ images, volumes, networks, runtime },
    config: containersConfig(config, identity, runtime.facts, initPath, remap),
  });
  // what belongs to no container is swept by the recovery, which knows who lives
  await Promise.all([content.sweep(), volumes.sweep()]);
  await containers.recover();
  const builds = openBuilds({
    ...shared,
    ...{ images, distribution, networks, runtime, leases },
    config: buildsConfig(config, remap),
  });
  await builds.sweep();
  return assemble({
    ...shared,
    ...{ config, identity, initPath, release },
    ...{ networks, runtime, distribution, limits, images, volumes, containers, builds },
    remapped: remap !== undefined,
    buildkit: new LazyBuildkit({ config, identity, builds, networks, images, logger }),
  });
}

interface Parts {
  config: EngineConfig;
  identity: Identity;
  initPath: string | undefined;
  logger: Logger;
  state: State;
  events: EventBus;
  snapshots: Snapshots;
  networks: Networks;
  runtime: Runtime;
  distribution: Distribution;
  limits: TransferLimits;
  images: Engine["images"];
  volumes: Engine["volumes"];
  containers: Containers;
  builds: OpenedBuilds;
  release: () => void;
  remapped: boolean;
  buildkit: LazyBuildkit;
}

function assemble(parts: Parts): StartedEngine {
  const { events, logger, containers, images, volumes, networks, runtime, snapshots, identity } = parts;
  let config = parts.config;
  const version = describeVersion(runtime.facts);
  const info = new InfoReporter({
    id: identity.uuid,
    config: () => config,
    initPath: parts.initPath,
    containers,
    images,
    snapshots,
    volumes,
    events,
    runtime: runtime.facts,
    remapped: parts.remapped,
  });
  const gc: Gc = (request) => collectGarbage({ ...parts, dataRoot: config.dataRoot }, request);
  const schedule = new GcSchedule(gc, logger);
  schedule.configure(config.gc);
  const leftovers = new Leftovers(images, logger);
  return {
    gc,
    containers,
    images,
    volumes,
    networks,
    builds: parts.builds,
    registries: parts.distribution,
    events,
    logger,
    serverVersion,
    prune: makePrune(parts),
    volumeOperations: volumeOperations(parts),
    buildkit: () => parts.buildkit.get(),
    diskUsage: (kinds) => diskUsage(parts, kinds),
    version: () => version,
    info: async () => info.read(),
    reconfigure: (next) => {
      config = next;
      schedule.configure(next.gc);
      parts.distribution.configure(distributionOptions(next));
      Object.assign(parts.limits, transferLimits(next));
      events.publish({
        type: "daemon",
        action: "reload",
        id: identity.uuid,
        attributes: reloadAttributes(next),
      });
    },
    stop: async () => {
      await schedule.close();
      await leftovers.close();
      await stop(parts);
    },
  };
}

/** What a `reload` event tells: the options as they are now. */
function reloadAttributes(config: EngineConfig): Record<string, string> {
  return {
    name: hostname(),
    debug: String(config.debug),
    labels: JSON.stringify(config.labels),
    "insecure-registries": JSON.stringify([...config.registries.insecureRegistries, ...loopbackNetworks]),
    "registry-mirrors": JSON.stringify(config.registries.mirrors["docker.io"] ?? []),
    "max-concurrent-downloads": String(config.registries.maxDownloads),
    "max-concurrent-uploads": String(config.registries.maxUploads),
    "max-download-attempts": String(config.registries.downloadAttempts),
    "live-restore": String(config.liveRestore),
    "shutdown-timeout": String(config.shutdownTimeout),
  };
}

/** Highest service first, so that none is called once it has closed. */
async function stop({
  buildkit,
  builds,
  containers,
  networks,
  runtime,
  snapshots,
  images,
  volumes,
  state,
  release,
}: Parts): Promise<void> {
  await buildkit.close();
  await builds.close();
  await containers.close();
  images.close();
  await networks.shutdown(containers.alive());
  await runtime.close();
  await snapshots.close();
  volumes.close();
  state.close();
  release();
}
