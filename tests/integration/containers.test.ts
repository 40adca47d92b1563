/** Containers through the engine's socket: what only a kernel and real processes can show. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { lstat, mkdir, mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-containers-"));
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function api(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`http://engine${path}`, {
    method,
    unix: engine.socket,
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** Creates and starts; the id. */
async function up(body: object, name?: string): Promise<string> {
  const { body: made } = await api("POST", `/containers/create${name ? `?name=${name}` : ""}`, {
    Image: "busybox",
    ...body,
  });
  const id = String(made["Id"]);
  const { status, body: said } = await api("POST", `/containers/${id}/start`);
  if (status !== 204) throw new Error(`start: ${JSON.stringify(said)}`);
  return id;
}

const waitFor = async (id: string, condition = "not-running"): Promise<unknown> =>
  (await api("POST", `/containers/${id}/wait?condition=${condition}`)).body["StatusCode"];

const stateOf = async (id: string) =>
  (await api("GET", `/containers/${id}/json`)).body["State"] as Record<string, unknown>;

test("a volatile container is gone, name and files, when its removal is told", async () => {
  const body = { Image: "busybox", Cmd: ["sh", "-c", "sleep 2; exit 9"], HostConfig: { AutoRemove: true } };
  const { body: made } = await api("POST", "/containers/create?name=once", body);
  const removed = waitFor(String(made["Id"]), "removed");
  await api("POST", "/containers/once/start");
  expect(await removed).toBe(9);
  expect((await api("POST", "/containers/create?name=once", body)).status).toBe(201);
  expect((await api("DELETE", "/containers/once")).status).toBe(204);
});

test("links in the image's passwd lead nowhere outside its root", async () => {
  const id = await up({
    Cmd: [
      "sh",
      "-c",
      "rm /etc/passwd; ln -s /proc/self/root/../../../../etc/shadow /etc/passwd; ln -s / /up",
    ],
  });
  expect(await waitFor(id)).toBe(0);
  // started again, its own file is looked at: links in it are followed inside, where nothing is
  const again = await api("POST", `/containers/${id}/start`);
  expect(again.status).toBe(204);
  await waitFor(id);
  await api("DELETE", `/containers/${id}`);
});

test("a working folder through a link that leaves the root is made inside", async () => {
  const target = join(folder, "outside");
  const id = await up({
    Cmd: ["sh", "-c", `ln -s ${folder} /link 2>/dev/null; pwd`],
    WorkingDir: "/link/outside",
  });
  expect(await waitFor(id)).toBe(0);
  expect((await api("POST", `/containers/${id}/start`)).status).toBe(204);
  await waitFor(id);
  await expect(lstat(target)).rejects.toThrow("ENOENT");
  await api("DELETE", `/containers/${id}`);
});

test("a start that fails is undone and told with Docker's code", async () => {
  const { body: made } = await api("POST", "/containers/create", { Image: "busybox", Cmd: ["nosuch"] });
  const id = String(made["Id"]);
  const { status, body } = await api("POST", `/containers/${id}/start`);
  expect(status).toBe(400);
  expect(String(body["message"])).toContain('exec: "nosuch": executable file not found in $PATH');
  expect(await stateOf(id)).toMatchObject({ Status: "created", ExitCode: 127, Running: false, Pid: 0 });
  expect((await api("DELETE", `/containers/${id}`)).status).toBe(204);
});

test("starts, stops and removals at once leave one truth", async () => {
  const id = await up({ Cmd: ["sleep", "60"] }, "contested");
  const answers = await Promise.all([
    api("POST", `/containers/${id}/stop?t=0`),
    api("POST", `/containers/${id}/start`),
    api("POST", `/containers/${id}/kill`),
    api("POST", `/containers/${id}/restart?t=0`),
    api("DELETE", `/containers/${id}?force=1`),
    api("DELETE", `/containers/${id}?force=1`),
  ]);
  for (const { status } of answers) expect([204, 304, 404, 409, 500]).toContain(status);
  await api("DELETE", `/containers/${id}?force=1`);
  expect((await api("GET", `/containers/${id}/json`)).status).toBe(404);
}, 120_000);

test("a policy restarts what fails, and gives up after its count", async () => {
  const id = await up({
    Cmd: ["sh", "-c", "exit 3"],
    HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
  });
  await until(
    () => stateOf(id),
    (state) => state["Status"] === "exited",
  );
  const { body } = await api("GET", `/containers/${id}/json`);
  expect(body["RestartCount"]).toBe(2);
  expect(body["State"]).toMatchObject({ Status: "exited", ExitCode: 3 });
  await api("DELETE", `/containers/${id}`);
}, 120_000);

test("a health check turns a container healthy", async () => {
  const id = await up({
    Cmd: ["sleep", "60"],
    Healthcheck: { Test: ["CMD", "true"], Interval: 100_000_000 },
  });
  const health = async () => ((await stateOf(id))["Health"] as { Status: string }).Status;
  expect(await until(health, (now) => now === "healthy")).toBe("healthy");
  await api("DELETE", `/containers/${id}?force=1`);
}, 120_000);

test("top tells a container's processes on a host whose list of processes is long", async () => {
  // a hundred kilobytes each, before its own
  const long = [1, 2].map(() => Bun.spawn(["sleep", "60", ...Array<string>(50_000).fill("0")]));
  const id = await up({ Cmd: ["sleep", "60"] });
  const told = async (args: string): Promise<string[]> => {
    const { body } = await api("GET", `/containers/${id}/top?ps_args=${encodeURIComponent(args)}`);
    return (body["Processes"] as string[][]).map((row) => row.at(-1)?.replace(/^[\W_]+/, "") ?? "");
  };
  expect([await told("-ef"), await told("-eo pid,cmd"), await told("faux")]).toEqual([
    ["sleep 60"],
    ["sleep 60"],
    ["sleep 60"],
  ]);
  for (const child of long) child.kill("SIGKILL");
  await api("DELETE", `/containers/${id}?force=1`);
}, 120_000);

test("top tells processes at a terminal whatever ps would choose by itself", async () => {
  const id = await up({ Cmd: ["sleep", "60"], Tty: true });
  for (const args of ["-o pid,comm", "o pid,comm"]) {
    const told = async (): Promise<string[]> => {
      const { body } = await api("GET", `/containers/${id}/top?ps_args=${encodeURIComponent(args)}`);
      return (body["Processes"] as string[][]).map((row) => row[1] ?? "");
    };
    // just after the start a helper of crun's may still be there, or crun itself, named by its descriptor
    expect(await until(told, (names) => names.join() === "sleep")).toEqual(["sleep"]);
  }
  await api("DELETE", `/containers/${id}?force=1`);
}, 120_000);

/** What the engine holds and has written for execs without a terminal. */
async function ofExecs(id: string): Promise<string[]> {
  const fds = `/proc/${engine.pid}/fd`;
  const links = await Promise.all((await readdir(fds)).map((fd) => readlink(join(fds, fd)).catch(() => "")));
  const files = await readdir(join(engine.home, "exec", "containers", id));
  return [
    ...links.filter((link) => link.includes("memfd:exec-")),
    ...files.filter((name) => /^exec-/.test(name)),
  ];
}

// each waited two seconds once: the time this test may take is what fails it
test("an exec with input, or without a client, waits for nothing", async () => {
  const id = await up({ Cmd: ["sleep", "1000"] }, "typed-into");
  for (let round = 0; round < 10; round++) {
    const { stdout } = await engine.run([berth, "exec", "-i", id, "cat"], { input: "typed" });
    expect(stdout).toBe("typed");
    await engine.ok("exec", "-d", id, "true");
  }
  await api("DELETE", `/containers/${id}?force=1`);
}, 30_000);

test("an exec tells its output and exit code on one connection, and leaves nothing, however it ends", async () => {
  const id = await up({ Cmd: ["sleep", "600"] });
  const exec = (...words: string[]) => engine.berth("exec", id, ...words);
  const spoken = await exec("sh", "-c", "echo out; echo err >&2; exit 7");
  expect(spoken).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
  expect((await exec("nowhere")).code).toBe(127);
  // its client leaves, and it runs on until it is ended; the first process is deaf to its own container
  const left = Bun.spawn(
    engine.inNetwork([berth, "-H", engine.host, "exec", id, "sh", "-c", "echo begun; sleep 300"]),
    {
      stdout: "pipe",
    },
  );
  expect(new TextDecoder().decode((await left.stdout.getReader().read()).value)).toBe("begun\n");
  left.kill("SIGKILL");
  expect(await ofExecs(id)).not.toEqual([]);
  const ended = async (): Promise<string[]> => {
    await exec("killall", "-9", "sleep");
    return ofExecs(id);
  };
  expect(await until(ended, (left) => left.length === 0)).toEqual([]);
  await api("DELETE", `/containers/${id}?force=1`);
}, 120_000);

test("nothing is left of removed containers", async () => {
  await mkdir(folder, { recursive: true });
  const { body } = await api("GET", "/info");
  const root = String(body["DockerRootDir"]);
  for (const place of ["containers", "snapshots"]) {
    const left = (): Promise<string[]> => readdir(join(root, place));
    expect(await until(left, (names) => names.length === 0)).toEqual([]);
  }
}, 120_000);
