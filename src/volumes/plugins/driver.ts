import { EngineError, messageOf } from "../../lib/errors.ts";
import type { VolumeDriver } from "../driver.ts";
import type { VolumeRecord } from "../store.ts";
import { PluginClient } from "./client.ts";
import { findPlugin, type PluginFolders, pluginNames } from "./discovery.ts";

/** What a plugin tells of a volume. */
export interface PluginVolume {
  Name: string;
  Mountpoint?: string;
  CreatedAt?: string;
  Status?: Record<string, unknown>;
}

const shortMs = 30_000;
/** making and mounting may reach far */
const longMs = 120_000;

/** Volumes of one plugin: the "VolumeDriver" calls of Docker's volume plugin protocol. */
export class PluginDriver implements VolumeDriver {
  readonly scope: string;
  private readonly client: PluginClient;
  /** last told place of each volume */
  private readonly paths = new Map<string, string>();

  private constructor(client: PluginClient, scope: string) {
    this.client = client;
    this.scope = scope;
  }

  /** Says hello. Throws where it does not answer or is no volume plugin. */
  static async activate(client: PluginClient): Promise<PluginDriver> {
    const { Implements = [] } = await client.call<{ Implements?: string[] }>(
      "Plugin.Activate",
      {},
      { timeoutMs: shortMs },
    );
    if (!Implements.includes("VolumeDriver"))
      throw new EngineError("notFound", `plugin ${client.address.name} does not implement VolumeDriver`);
    return new PluginDriver(client, await scopeOf(client));
  }

  get name(): string {
    return this.client.address.name;
  }

  get url(): string {
    return this.client.address.url;
  }

  async create({ name, options }: Pick<VolumeRecord, "name" | "options">): Promise<void> {
    // it may know the volume from another machine, or from before
    if (await this.get(name).catch(() => undefined)) return;
    await this.call("Create", { Name: name, Opts: options ?? {} }, longMs);
    await this.get(name).catch(() => undefined);
  }

  async remove({ name }: VolumeRecord): Promise<{ deleted: Promise<void> }> {
    await this.call("Remove", { Name: name }, longMs);
    this.paths.delete(name);
    return { deleted: Promise.resolve() };
  }

  path({ name }: Pick<VolumeRecord, "name">): string {
    return this.paths.get(name) ?? "";
  }

  async mount({ name }: VolumeRecord, { user }: { user: string }): Promise<string> {
    const { Mountpoint = "" } = await this.call<{ Mountpoint?: string }>(
      "Mount",
      { Name: name, ID: user },
      longMs,
    );
    if (!Mountpoint.startsWith("/"))
      throw new EngineError(
        "internal",
        `plugin ${this.name} mounted volume ${name} at no absolute path: ${JSON.stringify(Mountpoint)}`,
      );
    this.paths.set(name, Mountpoint);
    return Mountpoint;
  }

  async unmount({ name }: VolumeRecord, { user }: { user: string }): Promise<void> {
    await this.call("Unmount", { Name: name, ID: user }, longMs);
  }

  /** Undefined where it does not know the volume. */
  async get(name: string): Promise<PluginVolume | undefined> {
    const { Volume } = await this.call<{ Volume?: PluginVolume }>("Get", { Name: name });
    if (!Volume) return undefined;
    if (Volume.Mountpoint) this.paths.set(name, Volume.Mountpoint);
    return Volume;
  }

  async list(): Promise<PluginVolume[]> {
    const { Volumes } = await this.call<{ Volumes?: PluginVolume[] | null }>("List", {});
    return (Volumes ?? []).filter(({ Name }) => typeof Name === "string" && Name !== "");
  }

  private call<Reply extends object>(method: string, args: object, timeoutMs = shortMs): Promise<Reply> {
    return this.client.call<Reply>(`VolumeDriver.${method}`, args, { timeoutMs });
  }
}

/** Old plugins have no such call: theirs are of this machine. */
async function scopeOf(client: PluginClient): Promise<string> {
  try {
    const reply = await client.call<{ Capabilities?: { Scope?: string } }>(
      "VolumeDriver.Capabilities",
      {},
      { timeoutMs: shortMs },
    );
    return reply.Capabilities?.Scope === "global" ? "global" : "local";
  } catch {
    return "local";
  }
}

/** All plugins of this machine, said hello to when first asked for. */
export class PluginDrivers {
  private readonly folders: PluginFolders;
  private readonly active = new Map<string, PluginDriver>();

  constructor(folders: PluginFolders) {
    this.folders = folders;
  }

  /** The driver; throws Docker's `notFound` where there is none, or it does not answer. */
  async find(name: string): Promise<PluginDriver> {
    const failed = (why: string, cause?: unknown): EngineError =>
      new EngineError("notFound", `error looking up volume plugin ${name}: ${why}`, { cause });
    const address = await findPlugin(this.folders, name);
    if (!address) {
      this.active.delete(name);
      throw failed(`plugin ${JSON.stringify(name)} not found`);
    }
    const known = this.active.get(name);
    if (known?.url === address.url) return known;
    try {
      const driver = await PluginDriver.activate(new PluginClient(address));
      this.active.set(name, driver);
      return driver;
    } catch (error) {
      throw failed(messageOf(error), error);
    }
  }

  /** Those that answer; the sentences are of those that do not. */
  async all(): Promise<{ drivers: PluginDriver[]; failures: string[] }> {
    const failures: string[] = [];
    const found = (await pluginNames(this.folders)).map(async (name) => {
      try {
        return [await this.find(name)];
      } catch (error) {
        // what is no volume plugin is no failure
        if (!/does not implement VolumeDriver/.test(messageOf(error))) failures.push(messageOf(error));
        return [];
      }
    });
    return { drivers: (await Promise.all(found)).flat(), failures };
  }

  /** Names of the plugins in use, for `info`. */
  names(): string[] {
    return [...this.active.keys()].sort();
  }

  /** What was last told of a volume's place. */
  path({ name, driver }: VolumeRecord): string {
    return this.active.get(driver)?.path({ name }) ?? "";
  }
}
