import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CgroupTree } from "../../system/cgroup/cgroup.ts";
import { hostMemory } from "./fields.ts";
import { usageV1 } from "./usage-v1.ts";
import { usageV2 } from "./usage-v2.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "usage-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const host = 8_000_000_000n;

test("version 1's files are read from the hierarchy of each controller", async () => {
  put({
    "pids/a/pids.current": "3\n",
    "pids/a/pids.max": "50\n",
    "cpuacct/a/cpuacct.usage": "53954259\n",
    "cpuacct/a/cpuacct.usage_percpu": "28336178 25618081 \n",
    "cpuacct/a/cpuacct.stat": "user 3\nsystem 2\n",
    "cpu/a/cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 77\n",
    "memory/a/memory.usage_in_bytes": "2535424\n",
    "memory/a/memory.max_usage_in_bytes": "4943872\n",
    "memory/a/memory.failcnt": "1\n",
    "memory/a/memory.limit_in_bytes": "9223372036854771712\n",
    "memory/a/memory.stat":
      "cache 5\nswap 0\ntotal_inactive_file 7\nhierarchical_memory_limit 9223372036854771712\n",
    "blkio/a/blkio.throttle.io_service_bytes": "8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n",
    "blkio/a/blkio.throttle.io_serviced": "Total 0\n",
  });
  const usage = await usageV1(new CgroupTree(root, "v1"), "a", host);
  expect(usage.pids).toEqual({ current: 3n, limit: 50n });
  expect(usage.cpu).toEqual({
    total: 53954259n,
    user: 30_000_000n,
    kernel: 20_000_000n,
    perCpu: [28336178n, 25618081n],
    periods: 9n,
    throttledPeriods: 4n,
    throttled: 77n,
  });
  expect(usage.memory).toMatchObject({ usage: 2535424n, peak: 4943872n, failures: 1n, limit: host });
  expect(usage.memory?.details).toMatchObject({
    cache: 5n,
    total_inactive_file: 7n,
    hierarchical_memory_limit: 9223372036854771712n,
    rss: 0n,
  });
  expect(usage.memory?.details).not.toHaveProperty("swap");
  expect(usage.io.bytes).toEqual([
    { major: 8n, minor: 0n, operation: "Read", value: 4096n },
    { major: 8n, minor: 0n, operation: "Total", value: 4096n },
  ]);
  expect(usage.io.operations).toEqual([]);
});

test("version 2's files are read from the one group", async () => {
  put({
    "a/pids.current": "2\n",
    "a/pids.max": "max\n",
    "a/cpu.stat":
      "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 1\nnr_throttled 1\nthrottled_usec 20\n",
    "a/memory.current": "1000\n",
    "a/memory.max": "67108864\n",
    "a/memory.stat": "anon 10\nfile 20\ninactive_file 5\nper_node 1\n",
    "a/memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n",
    "a/io.stat":
      "254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:0 rbytes=1 wbytes=0 rios=1 wios=0\n",
  });
  const usage = await usageV2(new CgroupTree(root, "v2"), "a", host);
  expect(usage.pids).toEqual({ current: 2n });
  expect(usage.cpu).toMatchObject({
    total: 1_500_000n,
    user: 1_000_000n,
    kernel: 500_000n,
    throttled: 20_000n,
  });
  expect(usage.cpu.perCpu).toBeUndefined();
  expect(usage.memory).toMatchObject({ usage: 1000n, failures: 2n, limit: 67108864n });
  expect(usage.memory?.details).toMatchObject({ anon: 10n, inactive_file: 5n, slab: 0n });
  expect(usage.io).toEqual({
    bytes: [
      { major: 254n, minor: 0n, operation: "read", value: 4096n },
      { major: 254n, minor: 0n, operation: "write", value: 8192n },
      { major: 7n, minor: 0n, operation: "read", value: 1n },
      { major: 7n, minor: 0n, operation: "write", value: 0n },
    ],
  });
});

test("a group that is gone, and a kernel without a controller, count as nothing used", async () => {
  for (const usage of [
    await usageV1(new CgroupTree(root, "v1"), "a", host),
    await usageV2(new CgroupTree(root, "v2"), "a", host),
  ]) {
    expect(usage.pids).toBeUndefined();
    expect(usage.memory).toBeUndefined();
    expect(usage.cpu.total).toBe(0n);
    expect(usage.io.bytes).toEqual([]);
  }
});

test("the host's memory is told in kilobytes", () => {
  expect(hostMemory("MemTotal:       24684092 kB\nMemFree: 1 kB\n")).toBe(25276510208n);
  expect(hostMemory("")).toBe(0n);
});
