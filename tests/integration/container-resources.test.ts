/** What containers use and may use: counters and limits of a real kernel. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);
beforeEach(async () => {
  const ids = (await engine.berth("ps", "-aq")).stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await engine.ok("rm", "-f", ...ids);
});

interface Stats {
  name?: string;
  read: string;
  preread: string;
  pids_stats: { current?: number; limit?: number };
  cpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number; online_cpus?: number };
  precpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number };
  memory_stats: { usage?: number; limit?: number; stats?: Record<string, number> };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}

const statsOf = async (name: string, query = "stream=0&one-shot=1"): Promise<Stats> =>
  (await (await engine.api(`/containers/${name}/stats?${query}`)).json()) as Stats;

async function update(name: string, body: object): Promise<{ status: number; message: string }> {
  const response = await engine.api(`/containers/${name}/update`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { message?: string };
  return { status: response.status, message: answer.message ?? "" };
}

/** Objects of a stream of lines, as they come. */
async function* follow(name: string, signal: AbortSignal): AsyncGenerator<Stats, void> {
  const response = await engine.api(`/containers/${name}/stats`, { signal });
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Stats;
  }
}

const run = (name: string, ...flags: string[]) =>
  engine.ok(
    "run",
    "-d",
    "--name",
    name,
    ...flags,
    "busybox",
    "sh",
    "-c",
    "trap exit TERM; while :; do sleep 1; done",
  );

test("a busy container's figures tell how busy it is", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "busy",
    "--cpus",
    "0.5",
    "busybox",
    "sh",
    "-c",
    "while :; do :; done",
  );
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "busy");
  /** what the kernel says, in steps of 10 ms */
  const spentMs = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  };
  const spent = await spentMs();
  const { cpu_stats: now, precpu_stats: before, read, preread } = await statsOf("busy", "stream=false");
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const percent = (used / passed) * (now.online_cpus ?? 0) * 100;
  // how much of its half it gets is the machine's affair
  expect(used).toBeGreaterThan(0);
  expect(used / 1e6).toBeLessThanOrEqual((await spentMs()) - spent + 30);
  expect(percent).toBeLessThan(80);
  expect(Date.parse(read) - Date.parse(preread)).toBeGreaterThan(900);
}, 120_000);

test("memory, processes and the network are the container's own", async () => {
  await run("own", "-m", "64m", "--pids-limit", "50");
  const { memory_stats: memory, pids_stats, networks } = await statsOf("own");
  expect(memory.limit).toBe(64 * 1024 * 1024);
  expect(memory.usage).toBeLessThan(16 * 1024 * 1024);
  expect(pids_stats.limit).toBe(50);
  expect(Object.keys(networks ?? {})).toEqual(["eth0"]);
  await run("joined", "--network", "container:own");
  await run("hosts", "--network", "host");
  await run("alone", "--network", "none");
  expect(Object.keys((await statsOf("joined")).networks ?? {})).toEqual(["eth0"]);
  expect((await statsOf("hosts")).networks).toBeUndefined();
  expect((await statsOf("alone")).networks).toBeUndefined();
}, 120_000);

test("a stream goes on over a stop and a start, and ends with the container", async () => {
  await run("streamed");
  const leaving = new AbortController();
  const stream = follow("streamed", leaving.signal);
  const next = async (): Promise<Stats> => {
    const { value } = await stream.next();
    if (!value) throw new Error("the stream ended");
    return value;
  };
  const first = await next();
  expect(first.preread).toBe("0001-01-01T00:00:00Z");
  expect((await next()).preread).toBe(first.read);
  await engine.ok("stop", "-t", "0", "streamed");
  let seen = await next();
  while (seen.pids_stats.current !== undefined) seen = await next();
  expect(seen).toMatchObject({ name: "/streamed", pids_stats: {}, memory_stats: {} });
  await engine.ok("start", "streamed");
  while (seen.pids_stats.current === undefined) seen = await next();
  expect(seen.pids_stats.current).toBeGreaterThan(0);
  await engine.ok("rm", "-f", "streamed");
  while (!(await stream.next()).done);
}, 120_000);

test("clients that leave in the middle of a stream leave the engine as it was", async () => {
  await run("watched");
  const before = (await readFile(`/proc/${engine.pid}/status`, "utf8")).match(/VmRSS:\s+(\d+)/)?.[1];
  for (let round = 0; round < 20; round++) {
    const leaving = new AbortController();
    const { value } = await follow("watched", leaving.signal).next();
    expect(value?.name).toBe("/watched");
    leaving.abort();
  }
  const after = (await readFile(`/proc/${engine.pid}/status`, "utf8")).match(/VmRSS:\s+(\d+)/)?.[1];
  expect(Number(after) - Number(before)).toBeLessThan(64 * 1024);
  expect((await statsOf("watched")).pids_stats.current).toBeGreaterThan(0);
}, 120_000);

test("limits change while a container runs, can be taken away, and are there after a restart", async () => {
  await run("limited");
  const limit = async (): Promise<number | undefined> => (await statsOf("limited")).pids_stats.limit;
  expect((await update("limited", { PidsLimit: 30, CpusetCpus: "0" })).status).toBe(200);
  expect(await limit()).toBe(30);
  expect(await engine.ok("exec", "limited", "grep", "Cpus_allowed_list", "/proc/1/status")).toEndWith("\t0");
  expect((await update("limited", { PidsLimit: -1 })).status).toBe(200);
  expect(await limit()).toBeUndefined();
  const megabyte = 1024 * 1024;
  const memory = async (): Promise<number> => (await statsOf("limited")).memory_stats.limit ?? 0;
  // up, down and up again: each has the two limits in another order
  for (const size of [64, 256, 32, 128]) {
    const body = { Memory: size * megabyte, MemorySwap: size * megabyte };
    expect(await update("limited", body)).toEqual({ status: 200, message: "" });
    expect(await memory()).toBe(size * megabyte);
  }
  expect((await update("limited", { CpuQuota: 50_000, CpuPeriod: 100_000 })).status).toBe(200);
  expect((await update("limited", { CpuQuota: -1 })).status).toBe(200);
  await engine.ok("restart", "-t", "0", "limited");
  expect(await memory()).toBe(128 * megabyte);
}, 120_000);

test("a limit the kernel refuses changes nothing", async () => {
  const info = (await (await engine.api("/info")).json()) as { CgroupVersion: string };
  if (info.CgroupVersion !== "1") {
    console.warn("skipped: version 2 takes every limit of memory, and ends processes instead");
    return;
  }
  await engine.ok(
    "run",
    "-d",
    "--name",
    "full",
    "--tmpfs",
    "/t",
    "busybox",
    "sh",
    "-c",
    "head -c 40m /dev/zero >/t/x; exec sleep 60",
  );
  const before = await until(
    () => statsOf("full"),
    ({ memory_stats }) => (memory_stats.usage ?? 0) > 30_000_000,
  );
  const { status, message } = await update("full", {
    Memory: 8_000_000,
    MemorySwap: 8_000_000,
    CpuShares: 77,
  });
  expect(status).toBe(500);
  expect(message).toContain("the container uses more memory");
  const after = await statsOf("full");
  expect(after.memory_stats.limit).toBe(before.memory_stats.limit);
  expect(after.memory_stats.stats?.["hierarchical_memsw_limit"]).toBe(
    before.memory_stats.stats?.["hierarchical_memsw_limit"],
  );
  expect(await engine.ok("inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.CpuShares}}", "full")).toBe(
    "0 0",
  );
}, 120_000);

test("a paused container is told and changed too", async () => {
  await run("paused");
  await engine.ok("pause", "paused");
  expect((await update("paused", { PidsLimit: 12 })).status).toBe(200);
  expect((await statsOf("paused")).pids_stats.limit).toBe(12);
  await engine.ok("unpause", "paused");
}, 120_000);

test("a policy that comes with an update counts at the next end", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "policy",
    "busybox",
    "sh",
    "-c",
    "until [ -e /go ]; do sleep 0.1; done; exit 3",
  );
  await update("policy", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 } });
  await engine.ok("exec", "policy", "touch", "/go");
  const count = (): Promise<string> => engine.ok("inspect", "-f", "{{.RestartCount}}", "policy");
  expect(await until(count, (now) => now === "1")).toBe("1");
}, 120_000);
