/** Where an engine listens: what `-H`, `DOCKER_HOST` and contexts name. */
export type Host =
  | { kind: "unix"; url: string; path: string }
  | { kind: "tcp"; url: string; hostname: string; port: number; tls: boolean; basePath: string }
  | {
      kind: "ssh";
      url: string;
      user: string;
      hostname: string;
      port: number;
      socket: string;
      program?: string;
    };

export class HostError extends Error {}

const defaultPort = { plain: 2375, tls: 2376 };

/** Reads `unix:///path`, `tcp://host:port`, `http(s)://…`, `ssh://user@host:port/sock` and a bare `host:port`. */
export function parseHost(text: string, tls: boolean): Host {
  const value = text.trim();
  const [scheme, rest] = splitScheme(value);
  switch (scheme) {
    case "unix":
      return { kind: "unix", url: `unix://${rest}`, path: rest };
    case "tcp":
    case "http":
    case "https":
      return parseTcp(value, scheme, rest, tls || scheme === "https");
    case "ssh":
      return parseSsh(value);
    case "npipe":
    case "fd":
      throw new HostError(`protocol not available on this platform: ${scheme}`);
    default:
      throw new HostError(`invalid bind address format: ${value}`);
  }
}

function splitScheme(value: string): [string, string] {
  const at = value.indexOf("://");
  if (at >= 0) return [value.slice(0, at), value.slice(at + 3)];
  return [value.startsWith("/") ? "unix" : "tcp", value];
}

function parseTcp(url: string, scheme: string, rest: string, tls: boolean): Host {
  const slash = rest.indexOf("/");
  const address = slash < 0 ? rest : rest.slice(0, slash);
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(address);
  if (!match) throw new HostError(`invalid bind address format: ${url}`);
  const hostname = (match[1] || "localhost").replace(/^\[|\]$/g, "");
  const port = match[2] ? Number(match[2]) : tls ? defaultPort.tls : defaultPort.plain;
  const basePath = slash < 0 ? "" : rest.slice(slash).replace(/\/+$/, "");
  return {
    kind: "tcp",
    url: scheme === "tcp" ? `tcp://${match[1] || "localhost"}:${port}` : url,
    hostname,
    port,
    tls,
    basePath,
  };
}

function parseSsh(url: string): Host {
  const parsed = URL.parse(url);
  if (!parsed?.hostname) throw new HostError(`invalid ssh host: ${url}`);
  if (parsed.password) throw new HostError("plain-text password is not supported");
  return {
    kind: "ssh",
    url,
    user: decodeURIComponent(parsed.username),
    hostname: parsed.hostname,
    port: parsed.port ? Number(parsed.port) : 0,
    socket: parsed.pathname.replace(/^\/+$/, ""),
  };
}
