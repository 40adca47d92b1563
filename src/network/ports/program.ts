import { readdir, readFile, readlink } from "node:fs/promises";
import type { PortRequest } from "../contract.ts";

const tcpListen = "0A";
/** a line's own port and its state */
const localAddress = /^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} ([\dA-F]{2}) /gm;
/** how many processes are looked at: this only adds to a message */
const processesMax = 20_000;

/** The program that holds a port of the host, "nginx (pid 42)", by /proc; undefined where that cannot be seen. */
export async function programAt(
  protocol: PortRequest["protocol"],
  port: number,
  proc = "/proc",
): Promise<string | undefined> {
  if (protocol === "sctp") return undefined;
  const inodes = new Set<string>();
  for (const table of [protocol, `${protocol}6`])
    for (const inode of socketsOf(await textOf(`${proc}/net/${table}`), protocol, port)) inodes.add(inode);
  if (inodes.size === 0) return undefined;
  const pids = (await entriesOf(proc)).filter((name) => /^\d+$/.test(name)).slice(0, processesMax);
  for (const pid of pids) {
    if (!(await holds(`${proc}/${pid}/fd`, inodes))) continue;
    const name = (await textOf(`${proc}/${pid}/comm`)).trim();
    return `${name || "a program"} (pid ${pid})`;
  }
  return undefined;
}

/** Inodes of sockets at the port in a table of proc(5), /proc/net/tcp and its like. */
export function socketsOf(table: string, protocol: "tcp" | "udp", port: number): string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").flatMap((line) => {
    const [, address = "", , state, , , , , , inode = "0"] = line.trim().split(/\s+/);
    const listens = protocol === "udp" || state === tcpListen;
    return address.endsWith(local) && listens && inode !== "0" ? [inode] : [];
  });
}

/** Ports between these at which a program of the host may listen, by /proc. */
export async function busyPorts(
  protocol: PortRequest["protocol"],
  first: number,
  last: number,
  proc = "/proc",
): Promise<number[]> {
  if (protocol === "sctp") return [];
  const busy = new Set<number>();
  for (const table of [protocol, `${protocol}6`])
    for (const [, hex = "", state] of (await textOf(`${proc}/net/${table}`)).matchAll(localAddress)) {
      const port = Number.parseInt(hex, 16);
      if (port >= first && port <= last && (protocol === "udp" || state === tcpListen)) busy.add(port);
    }
  return [...busy].sort((a, b) => a - b);
}

async function holds(folder: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await entriesOf(folder)) {
    const target = await readlink(`${folder}/${fd}`).catch(() => ""); // closed meanwhile
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/** processes end while they are looked at, and some may not be seen: then there is nothing to tell */
const entriesOf = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
