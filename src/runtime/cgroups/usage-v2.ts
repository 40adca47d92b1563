import type { CgroupTree } from "../../system/cgroup/cgroup.ts";
import type { IoCount, ResourceUsage } from "../contract.ts";
import { readNumber, withinHost } from "./fields.ts";
import { counts, pidsOf } from "./usage-v1.ts";

/** A group's usage by version 2's files (kernel: admin-guide/cgroup-v2). */
export async function usageV2(tree: CgroupTree, group: string, hostBytes: bigint): Promise<ResourceUsage> {
  const file = (name: string) => tree.read("", group, name);
  const [current, max, cpu, io, ...memory] = await Promise.all([
    file("pids.current"),
    file("pids.max"),
    file("cpu.stat"),
    file("io.stat"),
    file("memory.current"),
    file("memory.max"),
    file("memory.stat"),
    file("memory.events"),
  ]);
  return {
    ...pidsOf(current, max),
    cpu: cpuOf(cpu),
    ...memoryOf(hostBytes, ...memory),
    io: { bytes: readIo(io) },
  };
}

type Text = string | undefined;

function cpuOf(stat: Text): ResourceUsage["cpu"] {
  const { get } = counts(stat);
  return {
    total: get("usage_usec") * 1000n,
    user: get("user_usec") * 1000n,
    kernel: get("system_usec") * 1000n,
    periods: get("nr_periods"),
    throttledPeriods: get("nr_throttled"),
    throttled: get("throttled_usec") * 1000n,
  };
}

/** What Docker tells of `memory.stat`. */
const details =
  "active_anon active_file anon anon_thp file file_dirty file_mapped file_writeback inactive_anon inactive_file kernel_stack pgactivate pgdeactivate pgfault pglazyfree pglazyfreed pgmajfault pgrefill pgscan pgsteal shmem slab slab_reclaimable slab_unreclaimable sock thp_collapse_alloc thp_fault_alloc unevictable workingset_activate workingset_nodereclaim workingset_refault".split(
    " ",
  );

function memoryOf(hostBytes: bigint, ...[current, max, stat, events]: Text[]): Pick<ResourceUsage, "memory"> {
  const usage = readNumber(current);
  if (usage === undefined) return {};
  const { get } = counts(stat);
  return {
    memory: {
      usage,
      failures: counts(events).get("oom"),
      limit: withinHost(readNumber(max), hostBytes),
      details: Object.fromEntries(details.map((name) => [name, get(name)])),
    },
  };
}

/** Lines as `8:0 rbytes=4096 wbytes=0 rios=1 …`. */
function readIo(text: Text): IoCount[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const [, majorText, minorText, rest = ""] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
    if (!majorText || !minorText) return [];
    const device = { major: BigInt(majorText), minor: BigInt(minorText) };
    const of = (key: string): bigint => BigInt(new RegExp(`\\b${key}=(\\d+)`).exec(rest)?.[1] ?? 0);
    return [
      { ...device, operation: "read", value: of("rbytes") },
      { ...device, operation: "write", value: of("wbytes") },
    ];
  });
}
