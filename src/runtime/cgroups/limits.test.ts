import { expect, test } from "bun:test";
import { limitWrites } from "./limits.ts";

const told = (layout: "v1" | "v2" | "mixed", limits: Parameters<typeof limitWrites>[1]): string[] =>
  limitWrites(layout, limits).map(({ file, value }) => `${file}=${value}`);

test("only what is asked for is written", () => {
  expect(told("v1", {})).toEqual([]);
  expect(told("v2", { memory: 0, cpuShares: 0, cpusetCpus: "", nanoCpus: 0 })).toEqual([]);
});

test("version 1 takes Docker's numbers as they are", () => {
  expect(
    told("mixed", {
      memory: 64,
      memorySwap: -1,
      memoryReservation: 32,
      cpuShares: 512,
      cpuQuota: 50_000,
      cpuPeriod: 20_000,
      blkioWeight: 300,
      cpusetCpus: "0-1",
      cpusetMems: "0",
      pids: 30,
    }),
  ).toEqual([
    "memory.limit_in_bytes=64",
    "memory.memsw.limit_in_bytes=-1",
    "memory.soft_limit_in_bytes=32",
    "cpu.shares=512",
    "cpu.cfs_period_us=20000",
    "cpu.cfs_quota_us=50000",
    "blkio.weight=300",
    "cpuset.cpus=0-1",
    "cpuset.mems=0",
    "pids.max=30",
  ]);
});

test("version 2 counts swap without memory, and has scales of its own", () => {
  expect(
    told("v2", {
      memory: 100,
      memorySwap: 250,
      memoryReservation: 50,
      cpuQuota: 50_000,
      cpuPeriod: 0,
      cpuShares: 1024,
      blkioWeight: 500,
    }),
  ).toEqual([
    "memory.max=100",
    "memory.swap.max=150",
    "memory.low=50",
    "cpu.max=50000 100000",
    "cpu.weight=39",
    "io.bfq.weight=500",
  ]);
  expect(limitWrites("v2", { blkioWeight: 1000 })[0]?.instead).toEqual({
    file: "io.weight",
    value: "default 10000",
  });
});

test("a limit can be taken away again", () => {
  expect(told("v1", { pids: 0, cpuQuota: -5 })).toEqual(["cpu.cfs_quota_us=-1", "pids.max=max"]);
  expect(told("v2", { pids: 0, memory: 100, memorySwap: -1, cpuQuota: -1 })).toEqual([
    "memory.max=100",
    "memory.swap.max=max",
    "cpu.max=max 100000",
    "pids.max=max",
  ]);
});

test("parts of a CPU become a quota of the usual period", () => {
  expect(told("v1", { nanoCpus: 1_500_000_000 })).toEqual([
    "cpu.cfs_period_us=100000",
    "cpu.cfs_quota_us=150000",
  ]);
  expect(told("v2", { nanoCpus: 250_000_000 })).toEqual(["cpu.max=25000 100000"]);
});
