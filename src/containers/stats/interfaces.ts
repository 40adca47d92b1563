import type { InterfaceStats } from "../../types/api.ts";

/**
 * A container's network interfaces from its `/proc/<pid>/net/dev`, by name: those the engine put there. Undefined where
 * it has none. Columns: proc_pid_net(5).
 */
export function readInterfaces(text: string): Record<string, InterfaceStats> | undefined {
  const found = text.split("\n").flatMap((line) => {
    const [, name, numbers] = /^\s*(eth\d+):\s*([\d\s]+)$/.exec(line) ?? [];
    return name && numbers ? [[name, statsOf(numbers)] as const] : [];
  });
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function statsOf(numbers: string): InterfaceStats {
  const columns = numbers.trim().split(/\s+/).map(BigInt);
  const at = (column: number): bigint => columns[column] ?? 0n;
  return {
    rx_bytes: at(0),
    rx_packets: at(1),
    rx_errors: at(2),
    rx_dropped: at(3),
    tx_bytes: at(8),
    tx_packets: at(9),
    tx_errors: at(10),
    tx_dropped: at(11),
  };
}
