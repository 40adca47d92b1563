import { join } from "node:path";
import type { Builds } from "../build/contract.ts";
import type { Buildkit } from "../buildkit/contract.ts";
import type { Images } from "../images/contract.ts";
import { hostArchitecture } from "../lib/image/platform.ts";
import type { Logger } from "../lib/log.ts";
import type { Networks } from "../network/contract.ts";
import type { EngineConfig } from "./config/config.ts";
import type { Identity } from "./identity.ts";

interface BuildkitParts {
  config: EngineConfig;
  identity: Identity;
  builds: Builds;
  networks: Networks;
  images: Images;
  logger: Logger;
}

/** BuildKit's front door, loaded when a client first asks for it: an engine that builds nothing does without its memory. */
export class LazyBuildkit {
  private readonly parts: BuildkitParts;
  private opened: Promise<Buildkit> | undefined;

  constructor(parts: BuildkitParts) {
    this.parts = parts;
  }

  get(): Promise<Buildkit> {
    this.opened ??= this.open();
    return this.opened;
  }

  async close(): Promise<void> {
    (await this.opened)?.close();
  }

  private async open(): Promise<Buildkit> {
    const { openBuildkit } = await import("../buildkit/open.ts");
    const { config, identity, builds, networks, images, logger } = this.parts;
    const [hostGateway = networks.hostGateway()] = config.hostGatewayIps;
    return openBuildkit({
      builds,
      logger,
      contextsFolder: join(config.dataRoot, "build-contexts"),
      agentsFolder: join(config.execRoot, "build-agents"),
      forgetImage: async (reference) => {
        const users = (): [] => [];
        await images.remove(reference, { force: false, prune: true, users });
      },
      facts: {
        id: identity.uuid,
        hostGateway,
        platforms: [{ os: "linux", architecture: hostArchitecture }],
      },
    });
  }
}
