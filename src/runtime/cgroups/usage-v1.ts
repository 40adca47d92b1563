import type { CgroupTree } from "../../system/cgroup/cgroup.ts";
import type { IoCount, ResourceUsage } from "../contract.ts";
import { readFields, readNumber, withinHost } from "./fields.ts";

/** `cpuacct.stat` counts in ticks of 1/100 s, on every architecture. */
const tickNs = 10_000_000n;

/** A group's usage by version 1's files (kernel: admin-guide/cgroup-v1). */
export async function usageV1(tree: CgroupTree, group: string, hostBytes: bigint): Promise<ResourceUsage> {
  const file = (controller: string, name: string) => tree.read(controller, group, `${controller}.${name}`);
  const [pids, cpu, memory, io] = await Promise.all([
    Promise.all([file("pids", "current"), file("pids", "max")]),
    Promise.all([
      file("cpuacct", "usage"),
      file("cpuacct", "usage_percpu"),
      file("cpuacct", "stat"),
      file("cpu", "stat"),
    ]),
    Promise.all([
      file("memory", "usage_in_bytes"),
      file("memory", "max_usage_in_bytes"),
      file("memory", "failcnt"),
      file("memory", "limit_in_bytes"),
      file("memory", "stat"),
    ]),
    Promise.all([file("blkio", "throttle.io_service_bytes"), file("blkio", "throttle.io_serviced")]),
  ]);
  return {
    ...pidsOf(...pids),
    cpu: cpuOf(...cpu),
    ...memoryOf(hostBytes, ...memory),
    io: { bytes: readIo(io[0]), operations: readIo(io[1]) },
  };
}

type Text = string | undefined;

export function pidsOf(current: Text, max: Text): Pick<ResourceUsage, "pids"> {
  const count = readNumber(current);
  const limit = readNumber(max);
  if (count === undefined) return {};
  return { pids: { current: count, ...(limit === undefined ? {} : { limit }) } };
}

function cpuOf(usage: Text, perCpu: Text, times: Text, throttling: Text): ResourceUsage["cpu"] {
  const ticks = readFields(times);
  const { get } = counts(throttling);
  return {
    total: readNumber(usage) ?? 0n,
    user: (ticks.get("user") ?? 0n) * tickNs,
    kernel: (ticks.get("system") ?? 0n) * tickNs,
    perCpu: (perCpu ?? "")
      .split(" ")
      .filter((word) => /^\d+$/.test(word))
      .map(BigInt),
    periods: get("nr_periods"),
    throttledPeriods: get("nr_throttled"),
    throttled: get("throttled_time"),
  };
}

/** Fields of which a missing one is 0. */
export function counts(text: Text): { get(name: string): bigint } {
  const fields = readFields(text);
  return { get: (name) => fields.get(name) ?? 0n };
}

/** What Docker tells of `memory.stat`; the rest has names of its own in each kernel. */
const counted =
  "active_anon active_file cache dirty inactive_anon inactive_file mapped_file pgfault pgmajfault pgpgin pgpgout rss rss_huge unevictable writeback".split(
    " ",
  );
const details: readonly string[] = [
  ...counted,
  "hierarchical_memory_limit",
  "hierarchical_memsw_limit",
  ...counted.map((name) => `total_${name}`),
].sort();

function memoryOf(
  hostBytes: bigint,
  ...[usage, peak, failures, limit, stat]: Text[]
): Pick<ResourceUsage, "memory"> {
  const bytes = readNumber(usage);
  if (bytes === undefined) return {};
  const { get } = counts(stat);
  return {
    memory: {
      usage: bytes,
      peak: readNumber(peak) ?? 0n,
      failures: readNumber(failures) ?? 0n,
      limit: withinHost(readNumber(limit), hostBytes),
      details: Object.fromEntries(details.map((name) => [name, get(name)])),
    },
  };
}

/** Lines as `8:0 Read 4096`; the last, `Total 4096`, is of no device. */
function readIo(text: Text): IoCount[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const [, major, minor, operation, value] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? [];
    if (!major || !minor || !operation || !value) return [];
    return [{ major: BigInt(major), minor: BigInt(minor), operation, value: BigInt(value) }];
  });
}
