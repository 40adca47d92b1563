import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Images } from "../../images/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { silentLogger } from "../../lib/log.ts";
import { nowNs } from "../../lib/time/time.ts";
import type { Networks, SandboxState } from "../../network/contract.ts";
import type { ContainerProcess, ExitReport, ProcessState, Runtime } from "../../runtime/contract.ts";
import type { ResourcesInput } from "../../runtime/spec/input.ts";
import type { Snapshots } from "../../snapshots/contract.ts";
import { State } from "../../state/database.ts";
import { EventBus } from "../../state/events.ts";
import type { EventMessage, Volume, VolumeCreateRequest } from "../../types/api.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { Volumes } from "../../volumes/contract.ts";
import type { Clock } from "../clock.ts";
import { defaultContainersConfig } from "../config.ts";
import type { Containers } from "../contract.ts";
import { openContainers } from "../open.ts";

/** A service of which only the named methods exist: anything else that is called is the test's mistake. */
function partial<T extends object>(name: string, methods: object): T {
  return new Proxy(methods, {
    get(target, key) {
      if (key in target) return Reflect.get(target, key);
      throw new Error(`the fake ${name} has no ${String(key)}`);
    },
  }) as T;
}

/** A runtime whose processes end when the test says so. */
class FakeRuntime {
  readonly created: ContainerProcess[] = [];
  readonly living = new Set<string>();
  readonly signals: string[] = [];
  readonly deleted: string[] = [];
  readonly resumed: string[] = [];
  /** what `inspect` finds of a container that no engine watched */
  readonly left = new Map<string, ProcessState | ExitReport>();
  /** what `update` was asked for */
  readonly limits: ResourcesInput[] = [];
  /** thrown by the next update */
  failUpdate: Error | undefined;
  /** thrown by the next create */
  failCreate: Error | undefined;
  /** whether SIGTERM is obeyed */
  obedient = true;
  private listener: (report: ExitReport) => void = () => undefined;

  readonly service: Runtime = partial<Runtime>("runtime", {
    facts: {
      name: "crun",
      path: "/usr/bin/crun",
      version: "1",
      conmonVersion: "1",
      cgroupVersion: "1",
      cgroupLayout: "v1",
      blkioWeight: true,
      apparmor: undefined,
      oomScore: 0,
      warnings: [],
    },
    expectProcess: () => undefined,
    cgroupPathFor: (id: string, parent = "/berth") => `${parent}/${id}`,
    create: async (process: ContainerProcess) => {
      const failure = this.failCreate;
      this.failCreate = undefined;
      if (failure) throw failure;
      this.created.push(process);
      return 4242;
    },
    start: async (id: string) => void this.living.add(id),
    kill: async (id: string, signal: number) => {
      if (!this.living.has(id)) throw new EngineError("notFound", "no such process");
      this.signals.push(`${id}:${signal}`);
      if (signal === 9 || this.obedient) setTimeout(() => this.exit(id, 128 + signal), 0);
    },
    update: async (_id: string, limits: ResourcesInput) => {
      const failure = this.failUpdate;
      this.failUpdate = undefined;
      if (failure) throw failure;
      this.limits.push(limits);
    },
    holdNamespace: (id: string, kind: string) => ({ path: `/held/${id}/${kind}`, close: () => undefined }),
    pause: async () => undefined,
    resume: async (id: string) => void this.resumed.push(id),
    delete: async (id: string) => void this.deleted.push(id),
    inspect: async (id: string) => this.left.get(id),
    onExit: (listener: (report: ExitReport) => void) => {
      this.listener = listener;
    },
    adopt: async ({ id }: { id: string }) => void this.living.add(id),
    rotate: () => undefined,
    drainLogDriver: async () => undefined,
    sweep: async () => undefined,
    logs: () => new ReadableStream<Uint8Array>({ start: (controller) => controller.close() }),
    attach: async () => ({
      output: new ReadableStream<Uint8Array>({ start: (controller) => controller.close() }),
      write: async () => undefined,
      closeStdin: async () => undefined,
      close: () => undefined,
    }),
  });

  exit(id: string, exitCode: number): void {
    if (!this.living.delete(id)) return;
    this.listener({ id, exitCode, exitedAtNs: nowNs(), oomKilled: false });
  }
}

/** Time that passes when the test says so. */
export class FakeClock implements Clock {
  readonly waiting: { ms: number; act: () => void }[] = [];

  after(ms: number, act: () => void): () => void {
    const entry = { ms, act };
    this.waiting.push(entry);
    return () => void this.drop(entry);
  }

  /** Lets the next timer fire; its delay in milliseconds. */
  next(): number | undefined {
    const entry = this.waiting.shift();
    entry?.act();
    return entry?.ms;
  }

  private drop(entry: { ms: number; act: () => void }): void {
    const at = this.waiting.indexOf(entry);
    if (at >= 0) this.waiting.splice(at, 1);
  }
}

const sandbox: SandboxState = {
  sandboxId: "f".repeat(64),
  netnsPath: "/run/netns/ffffffffffff",
  endpoints: {},
  ports: {},
};

class FakeVolumes {
  readonly names = new Set<string>();
  readonly service: Volumes = partial<Volumes>("volumes", {
    create: async ({ Name = "" }: VolumeCreateRequest): Promise<Partial<Volume>> => {
      this.names.add(Name);
      return { Name };
    },
    has: (name: string) => this.names.has(name),
    mount: async (name: string) => `/volumes/${name}/_data`,
    release: async () => undefined,
    heldBy: () => [],
    adopt: () => undefined,
    sweepMounts: async () => undefined,
    remove: async (name: string, { users }: { users: string[] }) => {
      if (users.length > 0) throw new EngineError("conflict", "volume is in use");
      this.names.delete(name);
    },
    copyUp: async () => undefined,
  });
}

export interface World {
  containers: Containers;
  runtime: FakeRuntime;
  volumes: FakeVolumes;
  /** keys of the snapshots that exist */
  snapshots: Set<string>;
  clock: FakeClock;
  state: State;
  dataRoot: string;
  events: EventMessage[];
  /** actions told of containers so far */
  actions(): string[];
}

const imageConfig: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  config: { Cmd: ["sh"] },
  rootfs: { type: "layers", diff_ids: ["sha256:1"] },
};

function fakeImages(config: ImageConfig): Images {
  return partial<Images>("images", {
    touch: () => undefined,
    resolve: (reference: string) => {
      if (reference !== "busybox") throw new EngineError("notFound", `No such image: ${reference}:latest`);
      return { id: `sha256:${"a".repeat(64)}`, config, layers: ["sha256:1"] };
    },
    isNamed: () => true,
  });
}

function fakeSnapshots(root: string, keys: Set<string>, usage: Snapshots["usage"]): Snapshots {
  return partial<Snapshots>("snapshots", {
    driver: "overlay2",
    prepare: async (key: string) => void keys.add(key),
    keys: async () => [...keys],
    mount: async () => root,
    unmount: async () => undefined,
    remove: async (key: string) => void keys.delete(key),
    rootPath: () => root,
    sweep: async () => undefined,
    graphDriver: () => ({ Name: "overlay2", Data: {} }),
    usage,
    layer: () => ({ diffId: "sha256:1", size: 10 }),
  });
}

const fakeNetworks = (): Networks =>
  partial<Networks>("networks", {
    list: () => [],
    lookUp: () => undefined,
    rename: () => undefined,
    check: () => undefined,
    open: async () => ({
      sandboxId: sandbox.sandboxId,
      netnsPath: sandbox.netnsPath,
      ready: Promise.resolve(sandbox),
    }),
    close: async () => undefined,
    adopt: async () => undefined,
    sweep: async () => undefined,
    resolvConf: async () => "nameserver 1.1.1.1\n",
    hostGateway: () => "172.17.0.1",
  });

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "berth-containers-"));
  folders.push(folder);
  return folder;
}

/** Takes away what the worlds of a test file wrote: `afterAll(closeWorlds)`. */
export function closeWorlds(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

interface WorldOptions {
  image?: ImageConfig;
  /** an earlier world, whose state a new engine opens */
  before?: World;
  /** what a snapshot takes on disk */
  usage?: Snapshots["usage"];
}

/** The containers service over fakes. */
export function openWorld(options: WorldOptions = {}): World {
  const dataRoot = options.before?.dataRoot ?? temporaryFolder();
  const state = options.before?.state ?? State.inMemory();
  const bus = new EventBus();
  const events: EventMessage[] = [];
  bus.subscribe((event) => events.push(event));
  const runtime = new FakeRuntime();
  const volumes = options.before?.volumes ?? new FakeVolumes();
  const clock = new FakeClock();
  const snapshots = options.before?.snapshots ?? new Set<string>();
  const containers = openContainers(
    {
      state,
      events: bus,
      images: fakeImages(options.image ?? imageConfig),
      snapshots: fakeSnapshots(dataRoot, snapshots, options.usage ?? (async () => ({ size: 5, files: 1 }))),
      volumes: volumes.service,
      networks: fakeNetworks(),
      runtime: runtime.service,
      config: { ...defaultContainersConfig, dataRoot, execRoot: join(dataRoot, "run"), engineId: "test" },
      logger: silentLogger,
    },
    { clock },
  );
  const actions = (): string[] =>
    events.filter(({ Type }) => Type === "container").map(({ Action }) => Action);
  return { containers, runtime, volumes, snapshots, clock, state, dataRoot, events, actions };
}

/** Lets everything that is under way come to rest. */
export async function settle(ms = 60): Promise<void> {
  await Bun.sleep(ms);
  // what goes on in the background is at most some dozen file operations one after another: as many more take longer,
  // however busy the machine is
  for (let step = 0; step < 200; step++) await stat("/");
}

export async function createOne(world: World, body: object = {}, name?: string): Promise<string> {
  const { Id } = await world.containers.create({
    body: { Image: "busybox", Cmd: ["true"], ...body },
    ...(name === undefined ? {} : { name }),
  });
  return Id;
}
