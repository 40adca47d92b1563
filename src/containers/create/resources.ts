import { EngineError } from "../../lib/errors.ts";
import type { HostConfig } from "../../types/api.ts";

/** What limits are checked against. */
export interface HostFacts {
  cpus: number;
  /** cgroup list texts, such as `0-3` */
  cpuList: string;
  memoryNodes: string;
  cgroupVersion: "1" | "2";
  /** whether a weight of block I/O can be set */
  blkioWeight: boolean;
}

const memoryMin = 6 * 1024 * 1024;

const invalid = (sentence: string): never => {
  throw new EngineError("invalid", sentence);
};

/** what Docker reads at most */
const listMax = 8192;

/** `0-2,5` as numbers; undefined where it is not such a list. */
export function parseList(text: string): Set<number> | undefined {
  const found = new Set<number>();
  if (text === "") return found;
  for (const part of text.split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return undefined;
    for (let one = first; one <= last; one++) found.add(one);
  }
  return found;
}

/**
 * Limits as Docker checks them, in its order; returns warnings. An update may name a limit of memory with swap alone:
 * there is one of memory already.
 */
export function validateResources(
  host: HostConfig,
  facts: HostFacts,
  when: "create" | "update" = "create",
): string[] {
  validateMemory(host, when);
  validateCpu(host, facts);
  validateSets(host, facts);
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000)
    invalid(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if (host.ShmSize < 0) invalid("SHM size can not be less than 0");
  return [...oomWarnings(host, facts), ...percentWarnings(host), ...blkioWarnings(host, facts)];
}

/** Limits that only Windows has. */
export function refuseQos(host: HostConfig): void {
  const unsupported = (what: string): never =>
    invalid(`invalid option: QoS maximum ${what} configuration is not supported on linux`);
  if (host.IOMaximumBandwidth !== 0) unsupported("bandwidth");
  if (host.IOMaximumIOps !== 0) unsupported("IOPs");
}

function oomWarnings(host: HostConfig, facts: HostFacts): string[] {
  if (host.OomKillDisable && facts.cgroupVersion === "2")
    return ["Your kernel does not support OomKillDisable. OomKillDisable discarded."];
  if (host.OomKillDisable && host.Memory === 0)
    return [
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    ];
  return [];
}

const percentWarnings = (host: HostConfig): string[] =>
  host.CpuPercent > 0 ? ["linux does not support CPU percent. Percent discarded."] : [];

function blkioWarnings(host: HostConfig, facts: HostFacts): string[] {
  if (facts.blkioWeight && host.BlkioWeight !== 0 && (host.BlkioWeight < 10 || host.BlkioWeight > 1000))
    invalid("Range of blkio weight is from 10 to 1000");
  if (facts.blkioWeight) return [];
  const missing = (what: string, kind: string): string =>
    `Your kernel does not support Block I/O ${what} or the cgroup is not mounted. ${kind} discarded.`;
  return [
    ...(host.BlkioWeight === 0 ? [] : [missing("weight", "Weight")]),
    ...(host.BlkioWeightDevice?.length ? [missing("weight_device", "Weight-device")] : []),
  ];
}

/** What this host cannot do is warned of, and left out. */
export function discardUnsupported(asked: HostConfig, facts: HostFacts): HostConfig {
  const host = asked.CpuPercent > 0 ? { ...asked, CpuPercent: 0 } : asked;
  if (facts.blkioWeight || (host.BlkioWeight === 0 && !host.BlkioWeightDevice?.length)) return host;
  const devices = host.BlkioWeightDevice?.length ? { BlkioWeightDevice: [] } : {};
  return { ...host, BlkioWeight: 0, ...devices };
}

function validateMemory(host: HostConfig, when: "create" | "update"): void {
  if (host.Memory !== 0 && host.Memory < memoryMin) invalid("Minimum memory limit allowed is 6MB");
  if (host.Memory > 0 && host.MemorySwap > 0 && host.MemorySwap < host.Memory)
    invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (when === "create" && host.Memory === 0 && host.MemorySwap > 0)
    invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
  const swappiness = host.MemorySwappiness;
  if (swappiness !== null && (swappiness < -1 || swappiness > 100))
    invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (host.MemoryReservation !== 0 && host.MemoryReservation < memoryMin)
    invalid("Minimum memory reservation allowed is 6MB");
  if (host.Memory > 0 && host.MemoryReservation > 0 && host.Memory < host.MemoryReservation)
    invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
}

function validateCpu(host: HostConfig, facts: HostFacts): void {
  if (host.NanoCpus !== 0 && host.CpuPeriod !== 0)
    invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (host.NanoCpus !== 0 && host.CpuQuota !== 0)
    invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  if (host.NanoCpus < 0 || host.NanoCpus > facts.cpus * 1e9)
    invalid(`range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`);
  if (host.CpuShares < 0) invalid(`invalid CPU shares (${host.CpuShares}): value must be a positive integer`);
  if (host.CpuPeriod !== 0 && (host.CpuPeriod < 1000 || host.CpuPeriod > 1_000_000))
    invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (host.CpuQuota > 0 && host.CpuQuota < 1000)
    invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
}

function validateSets(host: HostConfig, facts: HostFacts): void {
  for (const [name, noun, wanted, available] of [
    ["cpuset cpus", "CPUs", host.CpusetCpus, facts.cpuList],
    ["cpuset mems", "memory nodes", host.CpusetMems, facts.memoryNodes],
  ] as const) {
    const list = parseList(wanted);
    if (list === undefined) invalid(`Invalid value ${wanted} for ${name}: invalid format: ${wanted}`);
    if ([...(list ?? [])].some((one) => one > listMax))
      invalid(`Invalid value ${wanted} for ${name}: value of out range, maximum is ${listMax}`);
    const there = parseList(available) ?? new Set();
    if ([...(list ?? [])].some((one) => !there.has(one)))
      invalid(`Requested ${noun} are not available - requested ${wanted}, available: ${available}`);
  }
}
