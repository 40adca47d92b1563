import { binarySize, humanSize } from "../../../lib/text/units.ts";
import type { RowKind } from "../row-kind.ts";

/** What `GET /containers/{id}/stats` sends, as far as it is shown. */
interface Stats {
  id?: string;
  name?: string;
  read?: string;
  pids_stats?: { current?: number };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
  blkio_stats?: { io_service_bytes_recursive?: { op: string; value: number }[] | null };
  memory_stats?: { usage?: number; limit?: number; stats?: Record<string, number> };
  cpu_stats?: CpuStats;
  precpu_stats?: CpuStats;
}

interface CpuStats {
  cpu_usage?: { total_usage?: number; percpu_usage?: number[] | null };
  system_cpu_usage?: number;
  online_cpus?: number;
}

export interface StatsRow {
  container: string;
  id: string;
  name: string;
  cpuPercent: number;
  memory: number;
  memoryLimit: number;
  received: number;
  sent: number;
  blockRead: number;
  blockWritten: number;
  pids: number;
  valid: boolean;
}

export const emptyStats = (container: string): StatsRow => ({
  container,
  id: "",
  name: "",
  cpuPercent: 0,
  memory: 0,
  memoryLimit: 0,
  received: 0,
  sent: 0,
  blockRead: 0,
  blockWritten: 0,
  pids: 0,
  valid: false,
});

export function statsRow(container: string, stats: Stats): StatsRow {
  const networks = Object.values(stats.networks ?? {});
  const blocks = stats.blkio_stats?.io_service_bytes_recursive ?? [];
  const total = (letter: string): number =>
    blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).reduce((sum, { value }) => sum + value, 0);
  return {
    container,
    id: stats.id ?? "",
    name: (stats.name ?? "").replace(/^\//, ""),
    cpuPercent: cpuPercent(stats),
    memory: usedMemory(stats),
    memoryLimit: stats.memory_stats?.limit ?? 0,
    received: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sent: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    blockRead: total("r"),
    blockWritten: total("w"),
    pids: stats.pids_stats?.current ?? 0,
    valid: true,
  };
}

function cpuPercent({ cpu_stats: now = {}, precpu_stats: before = {} }: Stats): number {
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || now.cpu_usage?.percpu_usage?.length || 0;
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0;
}

/** File cache that can be given up does not count (cgroup v1: total_inactive_file, v2: inactive_file). */
function usedMemory({ memory_stats: memory = {} }: Stats): number {
  const { usage = 0, stats = {} } = memory;
  const cache = stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0;
  return cache < usage ? usage - cache : usage;
}

const unknown = "--";
const percent = (value: number): string => `${value.toFixed(2)}%`;

export const statsRows = (noTrunc: boolean): RowKind<StatsRow> => ({
  goType: "*container.statsContext",
  headers: {
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    Name: "NAME",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
  },
  fields: {
    Container: ({ container }) => container,
    ID: ({ id }) => (noTrunc ? id : id.slice(0, 12)),
    Name: ({ name }) => name || unknown,
    CPUPerc: (row) => (row.valid ? percent(row.cpuPercent) : unknown),
    MemUsage: (row) =>
      row.valid ? `${binarySize(row.memory)} / ${binarySize(row.memoryLimit)}` : `${unknown} / ${unknown}`,
    MemPerc: (row) =>
      row.valid ? percent(row.memoryLimit > 0 ? (row.memory / row.memoryLimit) * 100 : 0) : unknown,
    NetIO: (row) => (row.valid ? `${humanSize(row.received, 3)} / ${humanSize(row.sent, 3)}` : unknown),
    BlockIO: (row) =>
      row.valid ? `${humanSize(row.blockRead, 3)} / ${humanSize(row.blockWritten, 3)}` : unknown,
    PIDs: (row) => (row.valid ? String(row.pids) : unknown),
  },
});
