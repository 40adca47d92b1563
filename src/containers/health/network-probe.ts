import { messageOf } from "../../lib/errors.ts";
import { connectTcp, type TcpTarget } from "../../system/sockets/tcp.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { exposedPorts } from "../networks/request.ts";
import { joinedContainer } from "../start/join-mode.ts";
import type { ProbeResult } from "./probe-result.ts";

/** a status line that is longer is none */
const statusLineMax = 1024;

/** Passes when the port takes a connection. */
export async function probeTcp(
  ctx: Context,
  container: Container,
  port: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const target = targetOf(ctx, container, port);
  try {
    const connection = await connectTcp(target, signal);
    connection.close();
    return { exitCode: 0, output: `connected to ${nameOf(target)}` };
  } catch (error) {
    return failed(target, error);
  }
}

/** Passes when the path answers with a status below 400; redirects are not followed. */
export async function probeHttp(
  ctx: Context,
  container: Container,
  { port, path }: { port: number | undefined; path: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const target = targetOf(ctx, container, port ?? defaultPort(container));
  try {
    const connection = await connectTcp(target, signal);
    try {
      const request = `GET ${path} HTTP/1.1\r\nHost: ${nameOf(target)}\r\nUser-Agent: health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
      return judge(await connection.ask(request, firstLine, signal));
    } finally {
      connection.close();
    }
  } catch (error) {
    return failed(target, error);
  }
}

/** The first line, once it is there whole (or too long). */
function firstLine(bytes: Buffer): string | undefined {
  const end = bytes.indexOf("\n");
  if (end < 0 && bytes.length < statusLineMax) return undefined;
  return bytes.toString("latin1", 0, end < 0 ? statusLineMax : Math.min(end, statusLineMax)).trimEnd();
}

export function judge(line: string | undefined): ProbeResult {
  const status = Number(/^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(line ?? "")?.[1] ?? 0);
  if (line === undefined) return { exitCode: 1, output: "the connection was closed without an answer" };
  if (status === 0) return { exitCode: 1, output: `this is no HTTP: ${JSON.stringify(line.slice(0, 80))}` };
  return { exitCode: status < 400 ? 0 : 1, output: line };
}

const failed = (target: TcpTarget, error: unknown): ProbeResult => ({
  exitCode: 1,
  output: `${nameOf(target)}: ${messageOf(error)}`,
});

const nameOf = ({ address, port }: TcpTarget): string => `${address}:${port}`;

/** The one TCP port that is exposed; with none or several, HTTP's own. */
function defaultPort({ spec }: Container): number {
  const exposed = exposedPorts(spec.config).filter(({ protocol }) => protocol === "tcp");
  const [only] = exposed;
  return exposed.length === 1 && only ? only.port : 80;
}

/**
 * Where the container answers: at its address on a network, as its neighbours see it; where it has none (network host
 * or none), at the loopback address inside its own network namespace.
 */
function targetOf(ctx: Context, container: Container, port: number): TcpTarget {
  const joined = joinedContainer(container.spec.hostConfig.NetworkMode);
  const owner = joined === undefined ? container : (ctx.store.lookUp(joined) ?? container);
  const endpoints = Object.values(owner.life.sandbox?.endpoints ?? {});
  const address = endpoints.map(({ IPAddress }) => IPAddress).find((one) => one !== "");
  return address === undefined
    ? { address: "127.0.0.1", port, namespace: `/proc/${container.life.pid}/ns/net` }
    : { address, port };
}
