import type { PortSummary } from "../../../types/api.ts";

interface Run {
  group: string;
  first: number;
  last: number;
}

/** The PORTS column: published ports one by one with their address, neighbouring exposed ports as a range. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(byPort);
  const mapped: string[] = [];
  const texts: string[] = [];
  const runs = new Map<string, Run>();
  const order: string[] = [];
  for (const port of sorted) {
    if (port.IP && port.PublicPort !== port.PrivatePort) {
      mapped.push(`${bracket(port.IP)}:${port.PublicPort}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const group = `${port.IP ?? ""}/${port.Type}`;
    const run = runs.get(group);
    if (run && run.last === port.PrivatePort - 1) {
      run.last = port.PrivatePort;
      continue;
    }
    if (run) texts.push(show(run, port));
    else order.push(group);
    runs.set(group, { group, first: port.PrivatePort, last: port.PrivatePort });
  }
  for (const group of order) {
    const run = runs.get(group);
    if (run) texts.push(showGroup(run));
  }
  return [...texts, ...mapped].join(", ");
}

const bracket = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);

function show(run: Run, _next: PortSummary): string {
  return showGroup(run);
}

function showGroup({ group, first, last }: Run): string {
  const slash = group.lastIndexOf("/");
  const [ip, type] = [group.slice(0, slash), group.slice(slash + 1)];
  const range = first === last ? String(first) : `${first}-${last}`;
  return ip ? `${bracket(ip)}:${range}->${range}/${type}` : `${range}/${type}`;
}

function byPort(a: PortSummary, b: PortSummary): number {
  if (a.PrivatePort !== b.PrivatePort) return a.PrivatePort - b.PrivatePort;
  if ((a.IP ?? "") !== (b.IP ?? "")) return (a.IP ?? "") < (b.IP ?? "") ? -1 : 1;
  if ((a.PublicPort ?? 0) !== (b.PublicPort ?? 0)) return (a.PublicPort ?? 0) - (b.PublicPort ?? 0);
  return a.Type < b.Type ? -1 : a.Type > b.Type ? 1 : 0;
}
