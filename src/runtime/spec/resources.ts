import type { LinuxResources } from "../../types/runtime-spec.ts";
import { allDevices, defaultDeviceRules, deviceRule } from "./devices.ts";
import type { ResourcesInput, SpecInput } from "./input.ts";

const billion = 1_000_000_000;
/** microseconds; the kernel's default period */
const cpuPeriod = 100_000;

/** An object of those members that were asked for: neither undefined nor 0 nor "". */
function asked<T extends object>(members: { [K in keyof T]?: T[K] | undefined }): T | undefined {
  const entries = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== 0 && value !== "",
  );
  return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
}

const memoryOf = (input: ResourcesInput): LinuxResources["memory"] => {
  const limits = asked<NonNullable<LinuxResources["memory"]>>({
    limit: input.memory,
    reservation: input.memoryReservation,
    swap: input.memorySwap,
    disableOOMKiller: input.oomKillDisable || undefined,
  });
  // 0 is a value here: never swap
  return input.memorySwappiness === undefined ? limits : { ...limits, swappiness: input.memorySwappiness };
};

function cpuOf(input: ResourcesInput): LinuxResources["cpu"] {
  const { nanoCpus = 0 } = input;
  const quota = nanoCpus > 0 ? Math.floor((nanoCpus * cpuPeriod) / billion) : input.cpuQuota;
  return asked({
    shares: input.cpuShares,
    // none is what a new group has, and crun cannot write it
    quota: quota !== undefined && quota < 0 ? undefined : quota,
    period: nanoCpus > 0 ? cpuPeriod : input.cpuPeriod,
    realtimeRuntime: input.cpuRealtimeRuntime,
    realtimePeriod: input.cpuRealtimePeriod,
    cpus: input.cpusetCpus,
    mems: input.cpusetMems,
  });
}

function blockOf({ blkioWeight, blockIO }: ResourcesInput): LinuxResources["blockIO"] {
  const lists = Object.entries(blockIO ?? {}).filter(([, list]) => list.length > 0);
  return asked({ weight: blkioWeight, ...Object.fromEntries(lists) });
}

/** Limits and device access. Only what was asked for is in it, but the device rules, which are always. */
export function specResources({ resources, privileged, devices, deviceRules }: SpecInput): LinuxResources {
  const memory = memoryOf(resources);
  const cpu = cpuOf(resources);
  const blockIO = blockOf(resources);
  const { pids = 0 } = resources;
  return {
    devices: privileged ? [allDevices] : [...defaultDeviceRules, ...devices.map(deviceRule), ...deviceRules],
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pids === 0 ? {} : { pids: { limit: pids } }),
    ...(blockIO ? { blockIO } : {}),
  };
}
