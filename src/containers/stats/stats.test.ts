import { afterAll, expect, test } from "bun:test";
import { stringify } from "../../lib/wire/json.ts";
import type { ResourceUsage } from "../../runtime/contract.ts";
import { closeWorlds, createOne, FakeClock, openWorld, settle } from "../testing/fakes.ts";
import { readInterfaces } from "./interfaces.ts";
import { type Sample, statsOf } from "./response.ts";
import { StatsTimer } from "./sampler.ts";
import { readSystemCpu } from "./system-cpu.ts";

afterAll(closeWorlds);

const usage: ResourceUsage = {
  pids: { current: 1n },
  cpu: {
    total: 5n,
    user: 0n,
    kernel: 0n,
    perCpu: [2n, 3n],
    periods: 0n,
    throttledPeriods: 0n,
    throttled: 0n,
  },
  memory: { usage: 10n, peak: 20n, failures: 0n, limit: 30n, details: { rss: 9223372036854771712n } },
  io: { bytes: [], operations: [] },
};
const sample: Sample = {
  read: "2026-01-01T00:00:01Z",
  usage,
  system: { usage: 100n, online: 2 },
  interfaces: undefined,
};

test("the engine's interfaces are told, the loopback and the container's own are not", () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth1:      7       8    9   10    0     0          0         0       11      12   13   14    0     0       0          0
  eth0: 18446744073709551615 2    0    0    0     0          0         0      126       3    0    0    0     0       0          0
  tun0:       1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
`;
  const found = readInterfaces(text);
  expect(Object.keys(found ?? {})).toEqual(["eth0", "eth1"]);
  expect(found?.["eth0"]?.rx_bytes).toBe(18446744073709551615n);
  expect(found?.["eth1"]).toEqual({
    rx_bytes: 7n,
    rx_packets: 8n,
    rx_errors: 9n,
    rx_dropped: 10n,
    tx_bytes: 11n,
    tx_packets: 12n,
    tx_errors: 13n,
    tx_dropped: 14n,
  });
  expect(readInterfaces(text.split("\n").slice(0, 3).join("\n"))).toBeUndefined();
});

test("the host's CPU time is that of seven kinds, in nanoseconds", () => {
  const text = "cpu  1 2 3 4 5 6 7 100 100 100\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n";
  expect(readSystemCpu(text)).toEqual({ usage: 280_000_000n, online: 2 });
});

test("a container that does not run has zeros, nulls and no time", () => {
  expect(stringify(statsOf(undefined, undefined))).toBe(
    '{"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z","pids_stats":{},"blkio_stats":{"io_service_bytes_recursive":null,"io_serviced_recursive":null,"io_queue_recursive":null,"io_service_time_recursive":null,"io_wait_time_recursive":null,"io_merged_recursive":null,"io_time_recursive":null,"sectors_recursive":null},"num_procs":0,"storage_stats":{},"cpu_stats":{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}},"precpu_stats":{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}},"memory_stats":{}}',
  );
});

test("zero memory counters are left out, and numbers over 2^53 are exact", () => {
  const stats = statsOf(sample, undefined);
  expect(stringify(stats.memory_stats)).toBe(
    '{"usage":10,"max_usage":20,"stats":{"rss":9223372036854771712},"limit":30}',
  );
  expect(stats.cpu_stats.cpu_usage.percpu_usage).toEqual([2n, 3n]);
});

test("version 1 has empty lists of I/O, version 2 null until there is some", () => {
  expect(statsOf(sample, undefined).blkio_stats.io_queue_recursive).toEqual([]);
  const unified = (bytes: ResourceUsage["io"]["bytes"]) =>
    statsOf({ ...sample, usage: { ...usage, io: { bytes } } }, undefined).blkio_stats;
  expect(unified([]).io_service_bytes_recursive).toBeNull();
  const some = unified([{ major: 8n, minor: 0n, operation: "read", value: 1n }]);
  expect(some.io_service_bytes_recursive).toEqual([{ major: 8n, minor: 0n, op: "read", value: 1n }]);
  expect(some.io_serviced_recursive).toBeNull();
});

test("the figures before are told with the next", () => {
  const later = { ...sample, read: "2026-01-01T00:00:02Z" };
  const stats = statsOf(later, sample);
  expect([stats.read, stats.preread]).toEqual(["2026-01-01T00:00:02Z", "2026-01-01T00:00:01Z"]);
  expect(stats.precpu_stats.system_cpu_usage).toBe(100n);
});

test("one timer serves all who wait, and none is left when nobody does", async () => {
  const clock = new FakeClock();
  const timer = new StatsTimer(clock);
  const { signal } = new AbortController();
  const waits = [timer.next(signal), timer.next(signal)];
  expect(clock.waiting.length).toBe(1);
  clock.next();
  expect(await Promise.all(waits)).toEqual([true, true]);
  expect(clock.waiting.length).toBe(0);
});

test("what was read is not told again later, also when nobody waited for the next", () => {
  const clock = new FakeClock();
  const timer = new StatsTimer(clock);
  const moment = timer.current();
  expect(timer.current()).toBe(moment);
  expect(clock.waiting.length).toBe(1);
  clock.next();
  expect(timer.current()).not.toBe(moment);
});

test("a client that leaves and an engine that closes end the wait at once", async () => {
  const timer = new StatsTimer(new FakeClock());
  const leaving = new AbortController();
  const gone = timer.next(leaving.signal);
  const stays = timer.next(new AbortController().signal);
  leaving.abort();
  expect(await gone).toBe(false);
  timer.close();
  expect(await stays).toBe(false);
  expect(await timer.next(new AbortController().signal)).toBe(false);
});

test("following a container ends with its removal; what does not run is told as empty meanwhile", async () => {
  const world = openWorld();
  const id = await createOne(world, {}, "c1");
  const stream = world.containers.stats.follow(id, new AbortController().signal)[Symbol.asyncIterator]();
  const first = await stream.next();
  expect(first.value).toMatchObject({ name: "/c1", id, read: "0001-01-01T00:00:00Z", memory_stats: {} });
  const second = stream.next();
  await settle(1);
  world.clock.next();
  expect((await second).done).toBe(false);
  const third = stream.next();
  await world.containers.remove(id, { force: false, volumes: false });
  await settle(1);
  world.clock.next();
  expect((await third).done).toBe(true);
});

test("a container nobody has is refused before a stream begins", () => {
  const world = openWorld();
  expect(() => world.containers.stats.follow("none", new AbortController().signal)).toThrow(
    "No such container: none",
  );
});
