import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../src/lib/ids.ts";
import { silentLogger } from "../../src/lib/log.ts";
import type { ConmonRuntime } from "../../src/runtime/conmon-runtime.ts";
import type { ContainerProcess, ExitReport, LogOptions } from "../../src/runtime/contract.ts";
import { openRuntime } from "../../src/runtime/open.ts";
import { buildSpec } from "../../src/runtime/spec/build.ts";
import { defaultCapabilities } from "../../src/runtime/spec/capabilities.ts";
import type { SpecInput } from "../../src/runtime/spec/input.ts";
import { isRunning } from "../../src/system/process/signals.ts";
import type { Process } from "../../src/types/runtime-spec.ts";
import { until } from "../harness/until.ts";

/** Real containers from a static busybox, below a temporary exec root: needs root, conmon, crun, /bin/busybox. */
const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
const able = process.getuid?.() === 0 && busybox !== undefined && Bun.which("conmon") && Bun.which("crun");
if (!able) console.warn("runtime tests skipped: they need root, conmon, crun and a static busybox");

let root = "";
let rootfs = "";
let runtime: ConmonRuntime;
const engineId = `test${process.pid}`;
const exits = new Map<string, ExitReport>();
const waiters = new Map<string, (report: ExitReport) => void>();
const made: string[] = [];

const execRoot = (): string => join(root, "exec");

async function openTestRuntime(): Promise<ConmonRuntime> {
  const opened = await openRuntime({
    execRoot: execRoot(),
    dataRoot: execRoot(),
    engineId,
    logger: silentLogger,
  });
  opened.onExit((report) => {
    exits.set(report.id, report);
    waiters.get(report.id)?.(report);
  });
  return opened;
}

function exitOf(id: string): Promise<ExitReport> {
  const told = exits.get(id);
  return told ? Promise.resolve(told) : new Promise((resolve) => waiters.set(id, resolve));
}

function makeRootfs(into: string): void {
  for (const folder of ["bin", "dev", "proc", "sys", "tmp", "etc"])
    mkdirSync(join(into, folder), { recursive: true });
  copyFileSync(busybox ?? "", join(into, "bin/busybox"));
  const list = Bun.spawnSync([busybox ?? "", "--list"])
    .stdout.toString()
    .split("\n");
  for (const name of list.filter((name) => name && name !== "busybox"))
    symlinkSync("busybox", join(into, "bin", name));
  writeFileSync(join(into, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
}

interface Wanted {
  terminal?: boolean;
  stdin?: boolean;
  stdinOnce?: boolean;
  log?: boolean;
  cwd?: string;
  uid?: number;
  top?: Partial<SpecInput>;
}

function containerOf(args: string[], wanted: Wanted = {}): ContainerProcess {
  const id = newId();
  made.push(id);
  const {
    terminal = false,
    stdin = false,
    stdinOnce = false,
    log = false,
    cwd = "/",
    uid = 0,
    top = {},
  } = wanted;
  const spec = buildSpec({
    process: {
      terminal,
      args,
      env: ["PATH=/bin"],
      cwd,
      user: { uid, gid: uid },
      capabilities: defaultCapabilities,
      noNewPrivileges: false,
      rlimits: [],
    },
    hostname: "test",
    rootfs: { path: rootfs, readonly: false },
    namespaces: { network: "private", pid: "private", ipc: "private", uts: "private", cgroup: "host" },
    cgroupsPath: runtime.cgroupPathFor(id),
    mounts: [],
    privileged: false,
    resources: {},
    devices: [],
    deviceRules: [],
    sysctls: {},
    seccomp: "default",
    ...top,
  });
  const bundle = join(execRoot(), "containers", id);
  const logPath = join(root, `${id}.log`);
  return { id, bundle, spec, terminal, stdin, stdinOnce, ...(log ? { logPath } : {}) };
}

const both = { stdout: true, stderr: true };
const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Buffer> =>
  Buffer.from(await new Response(stream).arrayBuffer());

/** Docker's frames to text by stream. */
function unframe(bytes: Buffer): { out: string; err: string } {
  const texts = ["", "", ""];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    texts[bytes[at] ?? 0] += bytes.toString("latin1", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return { out: texts[1] ?? "", err: texts[2] ?? "" };
}

async function run(
  args: string[],
  wanted: Wanted = {},
): Promise<{ out: string; err: string; code: number; id: string }> {
  const container = containerOf(args, wanted);
  await runtime.create(container);
  const attachment = await runtime.attach(container.id, both);
  const output = bytesOf(attachment.output);
  await runtime.start(container.id);
  const { exitCode } = await exitOf(container.id);
  return { ...unframe(await output), code: exitCode, id: container.id };
}

async function started(args: string[], wanted: Wanted = {}): Promise<ContainerProcess> {
  const container = containerOf(args, wanted);
  await runtime.create(container);
  await runtime.start(container.id);
  return container;
}

const processOf = (container: ContainerProcess, args: string[], more: Partial<Process> = {}): Process => ({
  ...container.spec.process,
  args,
  ...more,
});

const logOptions = (more: Partial<LogOptions> = {}): LogOptions => ({
  ...both,
  follow: false,
  timestamps: false,
  terminal: true,
  ...more,
});

describe.skipIf(!able)("runtime", () => {
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "runtime-test-"));
    rootfs = join(root, "rootfs");
    makeRootfs(rootfs);
    runtime = await openTestRuntime();
  });
  afterEach(async () => {
    for (const id of made.splice(0)) await runtime.delete(id);
  });
  afterAll(async () => {
    await runtime.close();
    const left = readdirSync(join(execRoot(), "containers"));
    rmSync(root, { recursive: true, force: true });
    expect(left).toEqual([]);
    expect(runtime.cgroupPathFor("x")).toBe(`/berth-${engineId}/x`);
    const cgroups = readdirSync("/sys/fs/cgroup").filter((name) =>
      existsSync(`/sys/fs/cgroup/${name}/berth-${engineId}`),
    );
    expect(cgroups).toEqual([]);
  });

  test("runs a command and tells its output and exit code", async () => {
    const result = await run(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    expect(result).toMatchObject({ out: "out\n", err: "err\n", code: 3 });
  }, 120_000);

  test("a command that ends at once never loses its output", async () => {
    for (let round = 0; round < 10; round++)
      expect((await run(["echo", String(round)])).out).toBe(`${round}\n`);
  }, 120_000);

  test("a signal ends a process with 128 + its number", async () => {
    const { id } = await started(["sleep", "100"]);
    await runtime.kill(id, 9);
    expect((await exitOf(id)).exitCode).toBe(137);
    expect(runtime.kill(id, 9)).rejects.toMatchObject({ kind: "notFound" });
  }, 120_000);

  test("what cannot be started fails with Docker's sentence and leaves nothing", async () => {
    const cases: [string[], Wanted, number, string][] = [
      [["nosuch"], {}, 127, 'exec: "nosuch": executable file not found in $PATH'],
      [["/bin/nosuch"], {}, 127, 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'],
      [["/etc"], {}, 126, 'exec: "/etc": is a directory: permission denied'],
      [["/etc/passwd"], {}, 126, 'exec: "/etc/passwd": permission denied'],
      [[""], {}, 127, 'exec: "": executable file not found in $PATH'],
      [
        ["ls"],
        { cwd: "/etc/passwd" },
        127,
        'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory',
      ],
    ];
    for (const [args, wanted, exitCode, sentence] of cases) {
      const container = containerOf(args, wanted);
      const failure = await runtime.create(container).catch((error: unknown) => error);
      expect(failure).toMatchObject({ kind: "invalid", exitCode });
      expect(String((failure as Error).message)).toContain(`error during container init: ${sentence}`);
      expect(existsSync(container.bundle)).toBe(false);
    }
  }, 120_000);

  test("delivers 100 MB without loss, also to a second, slow reader", async () => {
    const container = containerOf(["sh", "-c", "yes 0123456789abcdef | head -c 100000000"]);
    await runtime.create(container);
    const readers = await Promise.all(
      [0, 1].map(() => runtime.attach(container.id, { stdout: true, stderr: false })),
    );
    const sums = readers.map(async ({ output }, index) => {
      const hash = createHash("md5");
      let size = 0;
      let rest = Buffer.alloc(0);
      for await (const piece of output) {
        rest = Buffer.concat([rest, piece]);
        let at = 0;
        while (rest.length - at >= 8 && rest.length - at - 8 >= rest.readUInt32BE(at + 4)) {
          const length = rest.readUInt32BE(at + 4);
          hash.update(rest.subarray(at + 8, at + 8 + length));
          size += length;
          at += 8 + length;
        }
        rest = rest.subarray(at);
        if (index === 1 && size % 7 === 0) await Bun.sleep(1);
      }
      return `${size} ${hash.digest("hex")}`;
    });
    await runtime.start(container.id);
    const expected = createHash("md5");
    const block = Buffer.from("0123456789abcdef\n".repeat(100_000));
    for (let left = 100_000_000; left > 0; left -= block.length)
      expected.update(block.subarray(0, Math.min(left, block.length)));
    const sum = `100000000 ${expected.digest("hex")}`;
    expect(await Promise.all(sums)).toEqual([sum, sum]);
    expect((await exitOf(container.id)).exitCode).toBe(0);
  }, 120_000);

  test("a reader that does not read holds the process back, and a kill is told all the same", async () => {
    const container = containerOf(["yes"]);
    await runtime.create(container);
    const attachment = await runtime.attach(container.id, both);
    await runtime.start(container.id);
    const [pid = 0] = await runtime.pids(container.id);
    const written = async (): Promise<number> =>
      Number(/^wchar: (\d+)/m.exec(await Bun.file(`/proc/${pid}/io`).text())?.[1]);
    expect(await until(written, (bytes) => bytes > 500_000)).toBeGreaterThan(500_000);
    await runtime.kill(container.id, 9);
    expect((await exitOf(container.id)).exitCode).toBe(137);
    const size = (await bytesOf(attachment.output)).length;
    expect(size).toBeGreaterThan(100_000);
    expect(size).toBeLessThan(4_000_000); // 1 MB here, some in sockets and pipes
  }, 120_000);

  test("stdin flows in, and its half close leaves the output open", async () => {
    const container = containerOf(["sh", "-c", "md5sum; echo bye"], { stdin: true, stdinOnce: true });
    await runtime.create(container);
    const attachment = await runtime.attach(container.id, both);
    const output = bytesOf(attachment.output);
    await runtime.start(container.id);
    const piece = Buffer.alloc(1_000_003, "x");
    for (let round = 0; round < 5; round++) await attachment.write(piece);
    await attachment.closeStdin();
    const sum = createHash("md5")
      .update(Buffer.concat([piece, piece, piece, piece, piece]))
      .digest("hex");
    expect(unframe(await output).out).toBe(`${sum}  -\nbye\n`);
  }, 120_000);

  test("a client that leaves takes neither stdin nor the output from the next one", async () => {
    const container = containerOf(["sh", "-c", "while read l; do echo got $l; done"], { stdin: true });
    await runtime.create(container);
    await runtime.start(container.id);
    const first = await runtime.attach(container.id, both);
    await first.closeStdin();
    first.close();
    await Bun.sleep(100);
    const second = await runtime.attach(container.id, both);
    await second.write(Buffer.from("word\n"));
    const { value } = await second.output.getReader().read();
    expect(unframe(Buffer.from(value ?? [])).out).toBe("got word\n");
  }, 120_000);

  test("a terminal has the size it is given", async () => {
    const script = 'until [ "$(stty size)" = "33 77" ]; do sleep 0.05; done; stty size';
    const container = containerOf(["sh", "-c", script], { terminal: true, stdin: true });
    await runtime.create(container);
    const attachment = await runtime.attach(container.id, both);
    await runtime.start(container.id);
    await runtime.resize(container.id, { height: 33, width: 77 });
    expect((await bytesOf(attachment.output)).toString()).toContain("33 77\r\n");
  }, 120_000);

  test("the default seccomp profile is in force, compiled by crun or by the engine", async () => {
    for (let round = 0; round < 2; round++) {
      const { out, code } = await run([
        "sh",
        "-c",
        "grep -c 'Seccomp:.2' /proc/self/status; unshare -U true",
      ]);
      expect(out).toBe("1\n");
      expect(code).toBe(1);
      for (
        let waitMs = 0;
        waitMs < 2000 && readdirSync(join(execRoot(), "seccomp")).length === 0;
        waitMs += 50
      )
        await Bun.sleep(50);
    }
  }, 120_000);

  test("pause stops a container's processes until resume", async () => {
    const { id } = await started(["sh", "-c", "while :; do :; done"]);
    await runtime.pause(id);
    const pids = await runtime.pids(id);
    expect(pids.length).toBe(1);
    const ticks = (): string | undefined =>
      Bun.spawnSync(["cut", "-d ", "-f14", `/proc/${pids[0]}/stat`])
        .stdout.toString()
        .trim();
    const before = ticks();
    await Bun.sleep(200);
    expect(ticks()).toBe(before);
    await runtime.resume(id);
    expect(await until(ticks, (now) => now !== before)).not.toBe(before);
  }, 120_000);

  test("exec runs beside, with streams, stdin and exact exit codes", async () => {
    const container = await started(["sleep", "100"]);
    const exec = async (args: string[], stdin?: string) => {
      const running = await runtime.exec(
        {
          id: newId(),
          containerId: container.id,
          process: processOf(container, args),
          stdin: stdin !== undefined,
        },
        both,
      );
      const output = running.attachment && bytesOf(running.attachment.output);
      if (stdin !== undefined) {
        await running.attachment?.write(Buffer.from(stdin));
        await running.attachment?.closeStdin();
      }
      return { ...unframe((await output) ?? Buffer.alloc(0)), code: await running.exit };
    };
    expect(await exec(["sh", "-c", "echo a; echo b >&2; exit 7"])).toEqual({
      out: "a\n",
      err: "b\n",
      code: 7,
    });
    expect(await exec(["sh", "-c", "kill -9 $$"])).toEqual({ out: "", err: "", code: 137 });
    expect(await exec(["cat"], "through\n")).toEqual({ out: "through\n", err: "", code: 0 });
    expect((await exec(["head", "-c", "20000000", "/dev/zero"])).out.length).toBe(20_000_000);
    expect(exec(["nosuch"])).rejects.toMatchObject({
      exitCode: 127,
      message:
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
    });
    expect(exec(["/etc/passwd"])).rejects.toMatchObject({ exitCode: 126 });
  }, 120_000);

  test("exec never holds the host's /dev/null: its stdin is a pipe that has ended", async () => {
    const container = await started(["sleep", "100"]);
    const script = "cat; case $(readlink /proc/$$/fd/0) in pipe:*) exit 3;; esac";
    for (const attach of [both, undefined]) {
      const process = processOf(container, ["sh", "-c", script]);
      const exec = { id: newId(), containerId: container.id, process, stdin: false };
      const running = await runtime.exec(exec, attach);
      if (running.attachment) await bytesOf(running.attachment.output);
      expect(await running.exit).toBe(3);
    }
  }, 120_000);

  test("what cannot be run on a terminal is refused in the words it is refused in without one", async () => {
    const container = await started(["sleep", "100"]);
    const said: [command: string[], change: { cwd?: string }, code: number, reason: string][] = [
      [["nosuch"], {}, 127, 'exec: "nosuch": executable file not found in $PATH'],
      [["/etc/passwd"], {}, 126, 'exec: "/etc/passwd": permission denied'],
      [["/etc"], {}, 126, 'exec: "/etc": is a directory: permission denied'],
      [
        ["true"],
        { cwd: "/none" },
        127,
        'chdir to cwd ("/none") set in config.json failed: no such file or directory',
      ],
    ];
    for (const [command, change, exitCode, reason] of said)
      for (const [stdin, attach] of [
        [true, both],
        [false, both],
        [false, undefined],
      ] as const) {
        const process = processOf(container, command, { terminal: true, ...change });
        const exec = { id: newId(), containerId: container.id, process, stdin };
        const failure = await runtime.exec(exec, attach).catch((error: unknown) => error);
        expect(failure).toMatchObject({
          exitCode,
          message: `OCI runtime exec failed: exec failed: unable to start container process: ${reason}`,
        });
      }
  }, 120_000);

  test("exec on a terminal can be resized and typed into", async () => {
    const container = await started(["sleep", "100"]);
    const id = newId();
    const script = 'read a; until [ "$(stty size)" = "20 99" ]; do sleep 0.05; done; stty size; exit 9';
    const process = processOf(container, ["sh", "-c", script], { terminal: true });
    const exec = await runtime.exec({ id, containerId: container.id, process, stdin: true }, both);
    const output = exec.attachment && bytesOf(exec.attachment.output);
    await runtime.resizeExec(id, { height: 20, width: 99 });
    await exec.attachment?.write(Buffer.from("\n"));
    expect((await output)?.toString()).toContain("20 99\r\n");
    expect(await exec.exit).toBe(9);
    expect(runtime.resizeExec(id, { height: 1, width: 1 })).rejects.toMatchObject({ kind: "conflict" });
  }, 120_000);

  test("logs keep both streams in order, by tail, and byte for byte", async () => {
    const { id } = await run(
      [
        "sh",
        "-c",
        "echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; printf 'a\\0b\\r\\nend'; head -c 20000 /dev/zero | tr '\\0' x",
      ],
      {
        log: true,
      },
    );
    const path = join(root, `${id}.log`);
    const read = async (more: Partial<LogOptions>) =>
      await bytesOf(runtime.logs(path, logOptions(more), Promise.resolve()));
    const long = `end${"x".repeat(20_000)}`;
    expect((await read({})).toString()).toBe(`1\n2\na\0b\r\n${long}`);
    expect((await read({ tail: 1 })).toString()).toBe(long);
    expect((await read({ tail: 2 })).toString()).toBe(`a\0b\r\n${long}`);
    expect((await read({ stdout: false })).toString()).toBe("2\n");
    expect(unframe(await read({ terminal: false, tail: 0 }))).toEqual({ out: "", err: "" });
  }, 120_000);

  test("a log rotates without losing a line, and a follower reads through it", async () => {
    const script =
      "i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); [ $((i % 3000)) = 0 ] && sleep 0.4; done";
    const container = containerOf(["sh", "-c", script], { log: true });
    const path = container.logPath ?? "";
    await runtime.create(container);
    runtime.rotate(container.id, path, { maxSize: 200_000, maxFiles: 100 });
    const ended = exitOf(container.id);
    await runtime.start(container.id);
    const followed = bytesOf(runtime.logs(path, logOptions({ follow: true }), ended));
    const expected = Array.from({ length: 30_000 }, (_, index) => `line ${index}\n`).join("");
    expect((await followed).toString() === expected).toBe(true);
    expect(existsSync(`${path}.2`)).toBe(true);
    const after = await bytesOf(runtime.logs(path, logOptions(), Promise.resolve()));
    expect(after.toString() === expected).toBe(true);
  }, 120_000);

  test("a container out of memory is told so", async () => {
    const { id } = await started(["sh", "-c", "tail /dev/zero"], {
      top: { resources: { memory: 8 * 1024 * 1024 } },
    });
    expect(await exitOf(id)).toMatchObject({ exitCode: 137, oomKilled: true });
  }, 120_000);

  test("containers outlive a killed engine: the living is found, the exit of the dead is told", async () => {
    const living = containerOf(["sh", "-c", "read a; echo got $a; exit 5"], { stdin: true });
    const dying = containerOf(["sh", "-c", "sleep 0.5; exit 6"]);
    for (const container of [living, dying]) {
      const file = join(root, "container.json");
      writeFileSync(file, JSON.stringify(container));
      const engine = Bun.spawn(
        [process.execPath, join(import.meta.dir, "runtime-engine.ts"), execRoot(), engineId, file],
        {
          stdout: "pipe",
        },
      );
      await engine.stdout.getReader().read();
      engine.kill(9);
      await engine.exited;
    }
    const ended = await until(
      () => runtime.inspect(dying.id),
      (state) => state !== undefined && "exitCode" in state,
    );
    expect(ended).toMatchObject({ exitCode: 6 });
    expect(await runtime.inspect(living.id)).toMatchObject({ running: true });
    await runtime.adopt(living);
    await runtime.adopt(dying);
    expect((await exitOf(dying.id)).exitCode).toBe(6);
    const attachment = await runtime.attach(living.id, both);
    const output = bytesOf(attachment.output);
    await attachment.write(Buffer.from("word\n"));
    expect(unframe(await output).out).toBe("got word\n");
    expect((await exitOf(living.id)).exitCode).toBe(5);
  }, 120_000);

  test("a conmon that was killed is noticed, and its container ended", async () => {
    const { id } = await started(["sleep", "100"]);
    const [pid = 0] = await runtime.pids(id);
    const conmon = Number(Bun.spawnSync(["cut", "-d ", "-f4", `/proc/${pid}/stat`]).stdout.toString());
    process.kill(conmon, 9);
    expect((await exitOf(id)).exitCode).toBe(137);
    await runtime.delete(id);
    expect(isRunning(pid)).toBe(false);
  }, 120_000);

  test("a container whose conmon died with the engine is ended when it is found, not watched for ever", async () => {
    const orphan = containerOf(["sleep", "100"]);
    const file = join(root, "container.json");
    writeFileSync(file, JSON.stringify(orphan));
    const engine = Bun.spawn(
      [process.execPath, join(import.meta.dir, "runtime-engine.ts"), execRoot(), engineId, file],
      { stdout: "pipe" },
    );
    await engine.stdout.getReader().read();
    engine.kill(9);
    await engine.exited;
    const found = await runtime.inspect(orphan.id);
    const pid = found && "pid" in found ? found.pid : 0;
    const conmon = Number(Bun.spawnSync(["cut", "-d ", "-f4", `/proc/${pid}/stat`]).stdout.toString());
    process.kill(conmon, 9);
    await runtime.adopt(orphan);
    expect((await exitOf(orphan.id)).exitCode).toBe(137);
    await runtime.delete(orphan.id);
    expect(isRunning(pid)).toBe(false);
  }, 120_000);

  test("sweep removes what no one knows", async () => {
    const { id, bundle } = await started(["sleep", "100"]);
    await runtime.sweep(new Set([id]));
    expect(await runtime.inspect(id)).toMatchObject({ running: true });
    await runtime.sweep(new Set());
    expect(existsSync(bundle)).toBe(false);
    expect(statSync(execRoot()).isDirectory()).toBe(true);
  }, 120_000);
});
