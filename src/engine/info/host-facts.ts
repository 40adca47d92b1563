import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupRoot } from "../../system/cgroup/cgroup.ts";

/** What the kernel offers to limit containers, as `info` tells it. */
export interface LimitFacts {
  memory: boolean;
  swap: boolean;
  kernelMemoryTcp: boolean;
  cpuPeriod: boolean;
  cpuQuota: boolean;
  cpuShares: boolean;
  cpuset: boolean;
  pids: boolean;
  oomKillDisable: boolean;
}

export function limitFacts(layout: CgroupLayout, root = cgroupRoot): LimitFacts {
  return layout === "v2" ? unifiedLimits(root) : legacyLimits(root);
}

function unifiedLimits(root: string): LimitFacts {
  const controllers = new Set(readFileSync(join(root, "cgroup.controllers"), "latin1").trim().split(" "));
  const cpu = controllers.has("cpu");
  const memory = controllers.has("memory");
  return {
    memory,
    swap: memory && existsSync("/proc/swaps"),
    kernelMemoryTcp: false,
    cpuPeriod: cpu,
    cpuQuota: cpu,
    cpuShares: cpu,
    cpuset: controllers.has("cpuset"),
    pids: controllers.has("pids"),
    oomKillDisable: false,
  };
}

function legacyLimits(root: string): LimitFacts {
  const has = (path: string): boolean => existsSync(join(root, path));
  return {
    memory: has("memory/memory.limit_in_bytes"),
    swap: has("memory/memory.memsw.limit_in_bytes"),
    kernelMemoryTcp: has("memory/memory.kmem.tcp.limit_in_bytes"),
    cpuPeriod: has("cpu/cpu.cfs_period_us"),
    cpuQuota: has("cpu/cpu.cfs_quota_us"),
    cpuShares: has("cpu/cpu.shares"),
    cpuset: has("cpuset"),
    pids: has("pids"),
    oomKillDisable: has("memory/memory.oom_control"),
  };
}

/** Docker's sentences for what is missing. */
export function limitWarnings(facts: LimitFacts, ipForwarding: boolean): string[] {
  const missing: [boolean, string][] = [
    [facts.memory, "WARNING: No memory limit support"],
    [facts.swap, "WARNING: No swap limit support"],
    [facts.cpuShares, "WARNING: No cpu shares support"],
    [facts.cpuQuota, "WARNING: No cpu cfs quota support"],
    [facts.cpuPeriod, "WARNING: No cpu cfs period support"],
    [facts.cpuset, "WARNING: No cpuset support"],
    [facts.pids, "WARNING: No pids limit support"],
    [ipForwarding, "WARNING: IPv4 forwarding is disabled"],
  ];
  return missing.flatMap(([there, sentence]) => (there ? [] : [sentence]));
}

/** `PRETTY_NAME` and `VERSION_ID` of os-release(5). */
export function operatingSystem(): { name: string; version: string } {
  const text = ["/etc/os-release", "/usr/lib/os-release"].find((path) => existsSync(path));
  const lines = text === undefined ? [] : readFileSync(text, "utf8").split("\n");
  const value = (key: string): string => {
    const line = lines.find((candidate) => candidate.startsWith(`${key}=`)) ?? "";
    return line.slice(key.length + 1).replace(/^["']|["']$/g, "");
  };
  return { name: value("PRETTY_NAME") || "linux", version: value("VERSION_ID") };
}

export const isIpForwarding = (): boolean =>
  readFileSync("/proc/sys/net/ipv4/ip_forward", "latin1").trim() === "1";

export const openDescriptors = (): number => readdirSync("/proc/self/fd").length;
export const threadCount = (): number => readdirSync("/proc/self/task").length;
