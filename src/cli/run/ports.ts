import { isIP } from "../../lib/net/ip.ts";
import type { PortMap } from "../../types/api.ts";

interface PublishedPort {
  /** `80/tcp` */
  port: string;
  hostIp: string;
  hostPort: string;
}

const protocols = ["tcp", "udp", "sctp"];

/** `-p`: `80`, `8080:80/udp`, `127.0.0.1::80`, `[::1]:8000-8010:80-90`, or `target=80,published=8080,protocol=tcp`. */
export function parsePublish(spec: string): PublishedPort[] {
  const raw = spec.includes("=") ? fromLongForm(spec) : spec;
  const { ip, host, container } = splitParts(raw);
  const [given, port] = splitProtocol(container);
  const protocol = given.toLowerCase();
  if (port === "") throw new Error(`no port specified: ${raw}<empty>`);
  if (!protocols.includes(protocol)) throw new Error(`invalid proto: ${protocol}`);
  const address = ip.startsWith("[") && ip.endsWith("]") ? ip.slice(1, -1) : ip;
  if (address !== "" && isIP(address) === 0) throw new Error(`invalid IP address: ${ip}`);
  const [first, last] = orElse(() => parsePortRange(port), `invalid containerPort: ${port}`);
  const [hostFirst, hostLast] =
    host === "" ? [0, 0] : orElse(() => parsePortRange(host), `invalid hostPort: ${host}`);
  if (host !== "" && last - first !== hostLast - hostFirst && first !== last)
    throw new Error(`invalid ranges specified for container and host Ports: ${port} and ${host}`);
  return Array.from({ length: last - first + 1 }, (_none, index) => ({
    port: `${first + index}/${protocol}`,
    hostIp: address,
    hostPort:
      host === ""
        ? ""
        : first === last && hostFirst !== hostLast
          ? `${hostFirst}-${hostLast}`
          : String(hostFirst + index),
  }));
}

function fromLongForm(spec: string): string {
  const values: Record<string, string> = {};
  // fields that mean nothing are let through, as docker does
  for (const field of spec.split(",")) {
    const at = field.indexOf("=");
    if (at <= 0) throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
    values[field.slice(0, at)] = field.slice(at + 1);
  }
  return `${values["published"] ?? ""}:${values["target"] ?? ""}/${values["protocol"] ?? "tcp"}`;
}

function splitParts(raw: string): { ip: string; host: string; container: string } {
  const parts = raw.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  return { ip: parts.join(":"), host, container };
}

function splitProtocol(text: string): [protocol: string, port: string] {
  const at = text.indexOf("/");
  if (at < 0) return ["tcp", text];
  if (at === 0) return ["", ""];
  // what follows a second slash is nothing, as to docker
  return [text.slice(at + 1).split("/", 1)[0] || "tcp", text.slice(0, at)];
}

function parsePortRange(text: string): [number, number] {
  if (text === "") throw new Error("empty string specified for ports");
  const dash = text.indexOf("-");
  if (dash < 0) {
    const port = parsePort(text);
    return [port, port];
  }
  const [first, last] = [parsePort(text.slice(0, dash)), parsePort(text.slice(dash + 1))];
  if (last < first) throw new Error(`invalid range specified for port: ${text}`);
  return [first, last];
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text))
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) > 65535)
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  return Number(text);
}

/** `--expose`: `80`, `80/udp`, `8000-8010`. */
export function parseExpose(spec: string): string[] {
  if (spec.includes(":")) throw new Error(`invalid port format for --expose: ${spec}`);
  const [protocol, port] = splitProtocol(spec);
  try {
    const [first, last] = parsePortRange(port);
    return Array.from({ length: last - first + 1 }, (_none, index) => `${first + index}/${protocol}`);
  } catch (error) {
    throw new Error(`invalid range format for --expose: ${spec}, error: ${(error as Error).message}`);
  }
}

export function toPortMap(ports: readonly PublishedPort[]): PortMap {
  const map: PortMap = {};
  for (const { port, hostIp, hostPort } of ports)
    map[port] = [...(map[port] ?? []), { HostIp: hostIp, HostPort: hostPort }];
  return map;
}

function orElse<T>(parse: () => T, sentence: string): T {
  try {
    return parse();
  } catch {
    throw new Error(sentence); // docker hides why a port did not parse
  }
}
