import { statSync } from "node:fs";

/** Where a log service listens. */
type LogAddress =
  | StreamAddress
  | { protocol: "udp"; host: string; port: number }
  | { protocol: "unixgram"; path: string };

export type StreamAddress =
  | { protocol: "tcp" | "tls"; host: string; port: number }
  | { protocol: "unix"; path: string };

const split = (text: string): { scheme: string; rest: string } => {
  const match = /^([a-zA-Z][\w+.-]*):\/\/(.*)$/.exec(text);
  return match ? { scheme: match[1] ?? "", rest: match[2] ?? "" } : { scheme: "", rest: text };
};

/** `host`, `host:port`, `[v6]:port`; the port as it is written. */
function hostPort(text: string): { host: string; port: string } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text);
  return { host: match?.[1] ?? match?.[2] ?? text, port: match?.[3] ?? "" };
}

const localSockets = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/** `syslog-address`; none = the host's own syslog. Throws Docker's texts. */
export function syslogAddress(text = ""): LogAddress {
  if (text === "") return { protocol: "unixgram", path: localSockets.find(exists) ?? "/dev/log" };
  const { scheme, rest } = split(text);
  switch (scheme) {
    case "unix":
    case "unixgram":
      if (!exists(rest)) throw new Error(`stat ${rest}: no such file or directory`);
      return { protocol: scheme, path: rest };
    case "udp":
    case "tcp":
    case "tcp+tls": {
      const { host, port } = hostPort(rest);
      const protocol = scheme === "tcp+tls" ? "tls" : scheme;
      return { protocol, host: host || "localhost", port: Number(port || 514) };
    }
    default:
      throw new Error(`unsupported scheme: '${scheme}'`);
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** `gelf-address`. Throws Docker's texts. */
export function gelfAddress(text: string): { protocol: "tcp" | "udp"; host: string; port: number } {
  const { scheme, rest: whole } = split(text);
  const rest = whole.replace(/[/?#].*$/s, "");
  if (scheme !== "udp" && scheme !== "tcp") throw new Error("gelf: endpoint needs to be TCP or UDP");
  const { host, port } = hostPort(rest);
  if (!/^\d+$/.test(port)) throw new Error("gelf: please provide gelf-address as proto://host:port");
  return { protocol: scheme, host: host || "localhost", port: Number(port) };
}

/** `fluentd-address`; none = 127.0.0.1:24224. Throws Docker's texts. */
export function fluentdAddress(text = ""): StreamAddress {
  const standard = { host: "127.0.0.1", port: 24224 };
  if (text === "") return { protocol: "tcp", ...standard };
  const refuse = (why: string): never => {
    throw new Error(`invalid fluentd-address (${text}): ${why}`);
  };
  const whole = text.includes("://") ? text : `tcp://${text}`;
  const { scheme, rest } = split(whole);
  if (whole.startsWith("://")) refuse(`parse ${JSON.stringify(whole)}: missing protocol scheme`);
  if (scheme === "unix") {
    const path = rest.slice(rest.indexOf("/"));
    if (!rest.includes("/") || path === "/") refuse("path is empty");
    return { protocol: "unix", path };
  }
  if (scheme !== "tcp" && scheme !== "tls") refuse(`unsupported scheme: '${scheme}'`);
  const at = rest.indexOf("/");
  if (at >= 0 && rest.slice(at) !== "/") refuse("should not contain a path element");
  const { host, port } = hostPort(at < 0 ? rest : rest.slice(0, at));
  if (!/^\d*$/.test(port)) refuse(`parse ${JSON.stringify(whole)}: invalid port ":${port}" after host`);
  if (Number(port) > 65535) refuse(`invalid port: strconv.ParseUint: parsing "${port}": value out of range`);
  return {
    protocol: scheme === "tls" ? "tls" : "tcp",
    host: host || standard.host,
    port: port === "" ? standard.port : Number(port),
  };
}
