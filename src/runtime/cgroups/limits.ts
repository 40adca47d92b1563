import type { CgroupLayout } from "../../system/cgroup/cgroup.ts";
import type { ResourcesInput } from "../spec/input.ts";

/** One value for one file of a group. */
export interface LimitWrite {
  controller: string;
  file: string;
  value: string;
  /** where a kernel does not have the file */
  instead?: { file: string; value: string };
}

const cpuPeriod = 100_000;
const billion = 1_000_000_000;

/**
 * The writes that give a running container new limits; what is not in `limits` stays. The values are those crun and runc
 * would set when they make a container. `memory` and `memorySwap`, `cpuQuota` and `cpuPeriod` come together: version 2
 * needs both for one.
 */
export function limitWrites(layout: CgroupLayout, limits: ResourcesInput): LimitWrite[] {
  return layout === "v2" ? writesV2(limits) : writesV1(limits);
}

const asked = (value: number | undefined): value is number => value !== undefined && value !== 0;
const orMax = (value: number): string => (value > 0 ? String(value) : "max");

function quotaOf({ nanoCpus = 0, cpuQuota, cpuPeriod: period }: ResourcesInput) {
  return nanoCpus > 0
    ? { quota: Math.floor((nanoCpus * cpuPeriod) / billion), period: cpuPeriod }
    : { quota: cpuQuota, period };
}

function sets({ cpusetCpus, cpusetMems }: ResourcesInput): LimitWrite[] {
  return [
    ...(cpusetCpus ? [{ controller: "cpuset", file: "cpuset.cpus", value: cpusetCpus }] : []),
    ...(cpusetMems ? [{ controller: "cpuset", file: "cpuset.mems", value: cpusetMems }] : []),
  ];
}

const pidsWrite = ({ pids }: ResourcesInput): LimitWrite[] =>
  pids === undefined ? [] : [{ controller: "pids", file: "pids.max", value: orMax(pids) }];

function writesV1(limits: ResourcesInput): LimitWrite[] {
  const writes: LimitWrite[] = [];
  const put = (controller: string, file: string, value: number | undefined): void => {
    if (asked(value)) writes.push({ controller, file: `${controller}.${file}`, value: String(value) });
  };
  put("memory", "limit_in_bytes", limits.memory);
  put("memory", "memsw.limit_in_bytes", limits.memorySwap);
  put("memory", "soft_limit_in_bytes", limits.memoryReservation);
  const { quota, period } = quotaOf(limits);
  put("cpu", "shares", limits.cpuShares);
  put("cpu", "cfs_period_us", period);
  put("cpu", "cfs_quota_us", asked(quota) && quota < 0 ? -1 : quota);
  if (asked(limits.blkioWeight)) {
    const value = String(limits.blkioWeight);
    const instead = { file: "blkio.bfq.weight", value };
    writes.push({ controller: "blkio", file: "blkio.weight", value, instead });
  }
  return [...writes, ...sets(limits), ...pidsWrite(limits)];
}

function writesV2(limits: ResourcesInput): LimitWrite[] {
  const { memory, memorySwap, memoryReservation, cpuShares, blkioWeight } = limits;
  const writes: LimitWrite[] = [];
  if (asked(memory)) writes.push({ controller: "memory", file: "memory.max", value: orMax(memory) });
  // version 2 counts swap by itself, Docker's number holds memory too
  if (asked(memorySwap) && (memorySwap < 0 || asked(memory))) {
    const swap = memorySwap < 0 ? "max" : String(Math.max(0, memorySwap - (memory ?? 0)));
    writes.push({ controller: "memory", file: "memory.swap.max", value: swap });
  }
  if (asked(memoryReservation))
    writes.push({ controller: "memory", file: "memory.low", value: orMax(memoryReservation) });
  const { quota, period } = quotaOf(limits);
  if (asked(quota) || asked(period))
    writes.push({ controller: "cpu", file: "cpu.max", value: `${orMax(quota ?? 0)} ${period || cpuPeriod}` });
  if (asked(cpuShares))
    writes.push({ controller: "cpu", file: "cpu.weight", value: String(weightOf(cpuShares)) });
  if (asked(blkioWeight)) {
    const linear = 1 + Math.floor(((blkioWeight - 10) * 9999) / 990);
    const instead = { file: "io.weight", value: `default ${linear}` };
    writes.push({ controller: "io", file: "io.bfq.weight", value: String(blkioWeight), instead });
  }
  return [...writes, ...sets(limits), ...pidsWrite(limits)];
}

/** Shares (2–262144) on version 2's scale (1–10000), as the runtimes convert them. */
function weightOf(shares: number): number {
  const within = Math.min(262_144, Math.max(2, shares));
  return 1 + Math.floor(((within - 2) * 9999) / 262_142);
}
