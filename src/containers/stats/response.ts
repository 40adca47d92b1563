import { zeroTime } from "../../lib/time/time.ts";
import type { IoCount, ResourceUsage } from "../../runtime/contract.ts";
import type { BlkioEntry, CpuStats, InterfaceStats, StatsResponse } from "../../types/api.ts";
import type { SystemCpu } from "./system-cpu.ts";

/** What a running container had used at one moment. */
export interface Sample {
  /** as the API writes times */
  read: string;
  usage: ResourceUsage;
  system: SystemCpu;
  interfaces: Record<string, InterfaceStats> | undefined;
}

/** A sample as the API tells it; `before` is what the client was told last. Undefined = it does not run. */
export function statsOf(sample: Sample | undefined, before: Sample | undefined): StatsResponse {
  const usage = sample?.usage;
  return {
    read: sample?.read ?? zeroTime,
    preread: before?.read ?? zeroTime,
    pids_stats: usage?.pids ?? {},
    blkio_stats: blkioOf(usage?.io),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuOf(sample),
    precpu_stats: cpuOf(before),
    memory_stats: memoryOf(usage?.memory),
    ...(sample?.interfaces ? { networks: sample.interfaces } : {}),
  };
}

function cpuOf(sample: Sample | undefined): CpuStats {
  if (!sample)
    return {
      cpu_usage: { total_usage: 0n, usage_in_kernelmode: 0n, usage_in_usermode: 0n },
      throttling_data: { periods: 0n, throttled_periods: 0n, throttled_time: 0n },
    };
  const { cpu } = sample.usage;
  return {
    cpu_usage: {
      total_usage: cpu.total,
      ...(cpu.perCpu?.length ? { percpu_usage: cpu.perCpu } : {}),
      usage_in_kernelmode: cpu.kernel,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: sample.system.usage,
    online_cpus: sample.system.online,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttled,
    },
  };
}

/** Zeros are left out, as Docker does. */
function memoryOf(memory: ResourceUsage["memory"]): StatsResponse["memory_stats"] {
  if (!memory) return {};
  return {
    ...(memory.usage ? { usage: memory.usage } : {}),
    ...(memory.peak ? { max_usage: memory.peak } : {}),
    stats: memory.details,
    ...(memory.failures ? { failcnt: memory.failures } : {}),
    ...(memory.limit ? { limit: memory.limit } : {}),
  };
}

const entries = (counts: readonly IoCount[]): BlkioEntry[] =>
  counts.map(({ major, minor, operation, value }) => ({ major, minor, op: operation, value }));

/** Version 1 has a list for each kind, if only an empty one; version 2 has bytes alone. */
function blkioOf(io: ResourceUsage["io"] | undefined): StatsResponse["blkio_stats"] {
  const other = io?.operations ? [] : null;
  const bytes = entries(io?.bytes ?? []);
  return {
    io_service_bytes_recursive: io?.operations || bytes.length > 0 ? bytes : null,
    io_serviced_recursive: io?.operations ? entries(io.operations) : null,
    io_queue_recursive: other,
    io_service_time_recursive: other,
    io_wait_time_recursive: other,
    io_merged_recursive: other,
    io_time_recursive: other,
    sectors_recursive: other,
  };
}
