import type { DeviceRequest, HostConfig, ThrottleDevice } from "../../types/api.ts";
import { each, given, type Option, when } from "./option.ts";

/** Processors, memory, processes, block devices and devices. */
export function limits(host: HostConfig): Option[] {
  return [
    ...given("--cpus", "cpus", host.NanoCpus / 1e9),
    ...given("--cpu-shares", "cpu_shares", host.CpuShares),
    ...given("--cpu-period", "cpu_period", host.CpuPeriod),
    ...given("--cpu-quota", "cpu_quota", host.CpuQuota),
    ...given("--cpu-rt-period", "cpu_rt_period", host.CpuRealtimePeriod),
    ...given("--cpu-rt-runtime", "cpu_rt_runtime", host.CpuRealtimeRuntime),
    ...given("--cpuset-cpus", "cpuset", host.CpusetCpus),
    ...given("--cpuset-mems", "", host.CpusetMems),
    ...memory(host),
    ...given("--pids-limit", "pids_limit", host.PidsLimit),
    ...given("--cgroup-parent", "cgroup_parent", host.CgroupParent),
    ...(host.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({
      flag: "--ulimit",
      value: `${Name}=${Soft}:${Hard}`,
      key: "ulimits",
      composed: { [Name]: { soft: Soft, hard: Hard } },
    })),
    ...blockDevices(host),
    ...devices(host),
  ];
}

function memory(host: HostConfig): Option[] {
  // without a word on swap, the engine allows as much again
  const swap = host.MemorySwap === host.Memory * 2 ? 0 : host.MemorySwap;
  return [
    ...given("--memory", "mem_limit", host.Memory),
    ...given("--memory-reservation", "mem_reservation", host.MemoryReservation),
    ...given("--memory-swap", "memswap_limit", swap),
    ...(host.MemorySwappiness === null || host.MemorySwappiness === undefined
      ? []
      : [
          {
            flag: "--memory-swappiness",
            value: String(host.MemorySwappiness),
            key: "mem_swappiness",
            composed: host.MemorySwappiness,
          },
        ]),
    ...when(host.OomKillDisable, "--oom-kill-disable", "oom_kill_disable"),
    ...given("--oom-score-adj", "oom_score_adj", host.OomScoreAdj),
  ];
}

function blockDevices(host: HostConfig): Option[] {
  const rates = (list: ThrottleDevice[] | null): string[] =>
    (list ?? []).map(({ Path, Rate }) => `${Path}:${Rate}`);
  return [
    ...given("--blkio-weight", "", host.BlkioWeight),
    ...each(
      "--blkio-weight-device",
      "",
      (host.BlkioWeightDevice ?? []).map(({ Path, Weight }) => `${Path}:${Weight}`),
    ),
    ...each("--device-read-bps", "", rates(host.BlkioDeviceReadBps)),
    ...each("--device-write-bps", "", rates(host.BlkioDeviceWriteBps)),
    ...each("--device-read-iops", "", rates(host.BlkioDeviceReadIOps)),
    ...each("--device-write-iops", "", rates(host.BlkioDeviceWriteIOps)),
  ];
}

function devices(host: HostConfig): Option[] {
  const plain = (host.Devices ?? []).map(
    ({ PathOnHost, PathInContainer, CgroupPermissions }) =>
      `${PathOnHost}:${PathInContainer}${CgroupPermissions === "rwm" ? "" : `:${CgroupPermissions}`}`,
  );
  const requests = host.DeviceRequests ?? [];
  const cdi = requests.filter(({ Driver }) => Driver === "cdi").flatMap(({ DeviceIDs }) => DeviceIDs ?? []);
  return [
    ...each("--device", "devices", [...plain, ...cdi]),
    ...each("--device-cgroup-rule", "device_cgroup_rules", host.DeviceCgroupRules),
    ...each("--gpus", "", requests.filter(({ Driver }) => Driver !== "cdi").map(gpus)),
  ];
}

function gpus({ Count, DeviceIDs, Driver, Capabilities, Options }: DeviceRequest): string {
  const wanted = (Capabilities?.[0] ?? []).filter((name) => name !== "gpu");
  const options = Object.entries(Options ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    ...(DeviceIDs?.length ? [`"device=${DeviceIDs.join(",")}"`] : [Count === -1 ? "all" : `count=${Count}`]),
    ...(Driver ? [`driver=${Driver}`] : []),
    ...(wanted.length > 0 ? [`"capabilities=${wanted.join(",")}"`] : []),
    ...(options.length > 0 ? [`"options=${options.join(",")}"`] : []),
  ].join(",");
}
