import { existsSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { deviceAt } from "../../runtime/spec/devices.ts";
import type { ResourcesInput } from "../../runtime/spec/input.ts";
import type { HostConfig, ThrottleDevice } from "../../types/api.ts";

/** Limits as the runtime takes them. */
export function resourcesOf(host: HostConfig): ResourcesInput {
  const throttle = (list: ThrottleDevice[] | null) =>
    list?.length ? list.map(({ Path, Rate }) => ({ ...deviceNumbers(Path), rate: Rate })) : undefined;
  const readBps = throttle(host.BlkioDeviceReadBps);
  const writeBps = throttle(host.BlkioDeviceWriteBps);
  const readIops = throttle(host.BlkioDeviceReadIOps);
  const writeIops = throttle(host.BlkioDeviceWriteIOps);
  const weights = host.BlkioWeightDevice?.map(({ Path, Weight }) => ({
    ...deviceNumbers(Path),
    weight: Weight,
  }));
  const blockIO = {
    ...(weights?.length ? { weightDevice: weights } : {}),
    ...(readBps ? { throttleReadBpsDevice: readBps } : {}),
    ...(writeBps ? { throttleWriteBpsDevice: writeBps } : {}),
    ...(readIops ? { throttleReadIOPSDevice: readIops } : {}),
    ...(writeIops ? { throttleWriteIOPSDevice: writeIops } : {}),
  };
  return {
    memory: host.Memory,
    memoryReservation: host.MemoryReservation,
    memorySwap: host.MemorySwap,
    ...(host.MemorySwappiness === null ? {} : { memorySwappiness: host.MemorySwappiness }),
    ...(host.OomKillDisable ? { oomKillDisable: true } : {}),
    nanoCpus: host.NanoCpus,
    cpuShares: host.CpuShares,
    cpuQuota: host.CpuQuota,
    cpuPeriod: host.CpuPeriod,
    cpuRealtimeRuntime: host.CpuRealtimeRuntime,
    cpuRealtimePeriod: host.CpuRealtimePeriod,
    cpusetCpus: host.CpusetCpus,
    cpusetMems: host.CpusetMems,
    ...(host.PidsLimit === null ? {} : { pids: host.PidsLimit }),
    blkioWeight: host.BlkioWeight,
    ...(Object.keys(blockIO).length === 0 ? {} : { blockIO }),
  };
}

function deviceNumbers(path: string): { major: number; minor: number } {
  if (!existsSync(path)) throw new EngineError("internal", `stat ${path}: no such file or directory`);
  const device = deviceAt(path, path);
  if (!device) throw new EngineError("invalid", `${path} is no device`);
  return { major: device.major, minor: device.minor };
}
