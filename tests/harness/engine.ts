/**
 * An engine for a test: the compiled executable with roots, a socket and a network namespace of its own, so that tests
 * run side by side and beside any other engine. `destroy` ends everything, also what a failed test left running.
 */
import { existsSync, statSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { endAbandoned } from "./abandoned.ts";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface EngineOptions {
  /** images to import from Debian packages: "busybox", "debian" */
  images?: ("busybox" | "debian")[];
  flags?: string[];
  /** variables of the engine's process */
  env?: Record<string, string>;
  /** what the engine's command is given to, as `sh -c …` */
  wrapper?: string[];
  /** share the network namespace of this engine, as two engines on one machine do */
  beside?: TestEngine;
}

/** how long an engine's start may take on a machine that is busy with other things */
const startMs = 90_000;

/** the executable under test; BERTH_BINARY names another build */
export const berth = resolve(process.env["BERTH_BINARY"] ?? "dist/berth");

export async function run(
  command: string[],
  options: { env?: Record<string, string>; input?: string | Uint8Array; timeoutMs?: number } = {},
): Promise<Outcome> {
  const child = Bun.spawn(command, {
    env: { ...process.env, ...options.env },
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input as string),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Pids whose command line holds `text`. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""); // it may have ended meanwhile
    if (command.includes(text) && pid !== process.pid) found.push(pid);
  }
  return found;
}

export async function mountsBelow(folder: string): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text.split("\n").flatMap((line) => {
    const target = line.split(" ")[4] ?? "";
    return target.startsWith(`${folder}/`) ? [target] : [];
  });
}

export class TestEngine {
  readonly home: string;
  readonly flags: string[];
  private readonly env: Record<string, string>;
  private readonly wrapper: string[];
  /** the process that holds the network namespace, and whether it is ours to end */
  readonly holder: Bun.Subprocess;
  private readonly ownsNetwork: boolean;
  private engine: Bun.Subprocess | undefined;

  constructor(
    home: string,
    network: { holder: Bun.Subprocess; own: boolean },
    options: Pick<EngineOptions, "flags" | "env" | "wrapper">,
  ) {
    this.home = home;
    this.holder = network.holder;
    this.ownsNetwork = network.own;
    this.flags = options.flags ?? [];
    this.env = options.env ?? {};
    this.wrapper = options.wrapper ?? [];
  }

  get socket(): string {
    return join(this.home, "berth.sock");
  }

  get host(): string {
    return `unix://${this.socket}`;
  }

  get pid(): number {
    return this.engine?.pid ?? 0;
  }

  /** The command inside the engine's network namespace. */
  inNetwork(command: string[]): string[] {
    return ["nsenter", `--net=/proc/${this.holder.pid}/ns/net`, "--", ...command];
  }

  /** A command with `DOCKER_HOST` at this engine, in its network namespace. */
  run(
    command: string[],
    options: { input?: string | Uint8Array; timeoutMs?: number } = {},
  ): Promise<Outcome> {
    return run(this.inNetwork(command), {
      ...options,
      env: { DOCKER_HOST: this.host, DOCKER_CLI_HINTS: "false" },
    });
  }

  berth(...args: string[]): Promise<Outcome> {
    return this.run([berth, ...args]);
  }

  docker(...args: string[]): Promise<Outcome> {
    return this.run(["docker", ...args]);
  }

  /** Fails with what was said unless the command succeeds; returns its standard output without the last newline. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.berth(...args);
    if (code !== 0) throw new Error(`berth ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout.replace(/\n$/, "");
  }

  api(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://engine${path}`, { ...init, unix: this.socket } as RequestInit);
  }

  async start(): Promise<void> {
    const log = Bun.file(join(this.home, "engine.log"));
    const roots = ["--data-root", join(this.home, "data"), "--exec-root", join(this.home, "exec")];
    const command = [
      ...this.wrapper,
      berth,
      "daemon",
      ...roots,
      "--pidfile",
      join(this.home, "pid"),
      "-H",
      this.host,
      ...this.flags,
    ];
    const said = existsSync(log.name ?? "") ? await log.text() : "";
    this.engine = Bun.spawn(this.inNetwork(["sh", "-c", 'exec "$@" 2>>"$0"', log.name ?? "", ...command]), {
      env: { ...process.env, ...this.env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const end = performance.now() + startMs;
    while (performance.now() < end && this.engine.exitCode === null) {
      const up = await this.api("/_ping").then(
        (response) => response.ok,
        () => false, // not listening yet
      );
      if (up) return;
      await Bun.sleep(25);
    }
    throw new Error(`the engine did not start: ${(await log.text()).slice(said.length)}`);
  }

  /** Ends the engine with a signal and waits until it is gone; containers stay. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    this.engine?.kill(signal);
    const code = (await this.engine?.exited) ?? 0;
    return code;
  }

  log(): Promise<string> {
    return Bun.file(join(this.home, "engine.log")).text();
  }

  /** Processes, mounts and files that should be gone once no container is left and the engine has stopped. */
  async leftovers(): Promise<string[]> {
    const processes = (await processesWith(this.home)).filter((pid) => pid !== this.pid);
    const links = await run(this.inNetwork(["ip", "-o", "link"]));
    const tables = await run(this.inNetwork(["nft", "list", "ruleset"]));
    const netns = await readdir(join(this.home, "exec", "netns")).catch(() => []); // never made, or gone: both are right
    return [
      ...processes.map((pid) => `process ${pid}`),
      ...(await mountsBelow(this.home)).map((target) => `mount ${target}`),
      ...links.stdout.split("\n").flatMap((line) => (line && !/\blo:/.test(line) ? [`link ${line}`] : [])),
      ...(tables.stdout.trim() ? [`nft ${tables.stdout.split("\n")[0]}`] : []),
      ...netns.map((name) => `netns ${name}`),
    ];
  }

  /** Removes every container, stops the engine, and takes away whatever is left of both. */
  async destroy(): Promise<void> {
    if (this.engine?.exitCode === null) {
      const ids = (await this.berth("ps", "-aq")).stdout.split("\n").filter(Boolean);
      if (ids.length) await this.run([berth, "rm", "-fv", ...ids], { timeoutMs: 120_000 });
      await this.stop("SIGTERM");
    }
    await clearHome(this.home);
    if (this.ownsNetwork) {
      this.holder.kill("SIGKILL");
      await this.holder.exited;
    }
  }
}

/** Takes away whatever is left of an engine: processes, mounts, files. */
export async function clearHome(home: string): Promise<void> {
  await endAbandoned(await readdir(join(home, "data", "containers")).catch(() => []));
  for (const pid of await processesWith(home)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // gone meanwhile
    }
  }
  await Bun.sleep(50);
  for (const target of (await mountsBelow(home)).reverse()) await run(["umount", "-l", target]);
  await rm(home, { recursive: true, force: true });
}

/** A tar of an image's root, made from Debian packages once and again when its script changes. */
export async function imageTar(name: "busybox" | "debian" | "apps"): Promise<string> {
  const file = join(tmpdir(), `berth-fixture-${name}.tar`);
  const script = `scripts/images/${name}.sh`;
  if (existsSync(file) && statSync(file).mtimeMs > statSync(script).mtimeMs) return file;
  const made = await run(
    ["bash", "-c", `${script} > ${file}.${process.pid} && mv ${file}.${process.pid} ${file}`],
    { timeoutMs: 600_000 },
  );
  if (made.code !== 0) throw new Error(`making the ${name} image: ${made.stderr}`);
  return file;
}

/** A network namespace that a waiting process holds, with `lo` up and one more address for tests of host addresses. */
async function holdNetwork(): Promise<Bun.Subprocess> {
  const script = "ip link set lo up && ip addr add 10.99.99.1/32 dev lo && echo ready && exec sleep infinity";
  const holder = Bun.spawn(["unshare", "--net", "sh", "-c", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  if (!value) throw new Error("no network namespace could be made");
  return holder;
}

export async function startEngine({
  images = [],
  beside,
  ...options
}: EngineOptions = {}): Promise<TestEngine> {
  const home = await mkdtemp(join(tmpdir(), "berth-engine-"));
  await chmod(home, 0o711); // users of containers may pass, as through /var/lib
  await writeFile(join(home, "owner"), String(process.pid)); // for clearAbandonedHomes
  const network = beside ? { holder: beside.holder, own: false } : { holder: await holdNetwork(), own: true };
  const engine = new TestEngine(home, network, options);
  try {
    await engine.start();
    for (const name of images) {
      const [tag, command] = name === "busybox" ? ["busybox:latest", "sh"] : ["debian:bookworm", "bash"];
      const tar = await imageTar(name);
      const done = await engine.run([berth, "import", "-c", `CMD ["${command}"]`, tar, tag], {
        timeoutMs: 300_000,
      });
      if (done.code !== 0) throw new Error(`import ${name}: ${done.stderr}`);
    }
    return engine;
  } catch (error) {
    await engine.destroy();
    throw error;
  }
}
