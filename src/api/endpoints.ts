import { readFile } from "node:fs/promises";
import type { EngineConfig } from "../engine/config/config.ts";
import { EngineError } from "../lib/errors.ts";
import type { Endpoint } from "./server.ts";

const defaultGroup = "berth";

/** Where the server listens, from the configured hosts. */
export async function endpointsOf({ hosts, group }: EngineConfig): Promise<Endpoint[]> {
  const gid = await groupId(group);
  return hosts.map((host) => {
    if (host.startsWith("unix://"))
      return { kind: "unix", path: host.slice("unix://".length), ...(gid === undefined ? {} : { gid }) };
    const url = new URL(host.replace("tcp://", "http://"));
    return { kind: "tcp", host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || "80") };
  });
}

/** The number of the socket's group. The default one need not exist; one that was asked for must. */
async function groupId(group: string): Promise<number | undefined> {
  if (/^\d+$/.test(group)) return Number(group);
  const lines = (await readFile("/etc/group", "utf8")).split("\n");
  const entry = lines.map((line) => line.split(":")).find(([name]) => name === group);
  if (entry) return Number(entry[2]);
  if (group === defaultGroup) return undefined;
  throw new EngineError("invalid", `group ${group} not found`);
}
