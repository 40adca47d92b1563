import { closeSync, openSync } from "node:fs";
import { connect, createServer, isIPv6, type Server, type Socket } from "node:net";

/** Something that holds a host port; closing it frees the port and ends what goes through it. */
export interface Forwarder {
  close(): Promise<void>;
  /** Leads elsewhere from now on; what goes through it to where it led ends. */
  lead(target: ForwardTarget): void;
}

export interface ForwardTarget {
  host: string;
  port: number;
}

/**
 * Holds a TCP port and passes connections on. IPv4 traffic is taken by the packet rules before it comes here: then
 * this only keeps the port busy for other programs. IPv6 traffic, and IPv4 when someone flushed the rules, goes through.
 */
export function forwardTcp(ip: string, port: number, target: ForwardTarget): Promise<Forwarder> {
  const open = new Set<Socket>();
  let to = target;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...to, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      // the other side's end tells of it: a reset is passed on as a reset
      socket.on("error", () => {
        client.destroy();
        upstream.destroy();
      });
      socket.on("close", () => open.delete(socket));
    }
    client.pipe(upstream);
    upstream.pipe(client);
  });
  const lead = (next: ForwardTarget): void => {
    if (next.host === to.host && next.port === to.port) return;
    to = next;
    for (const socket of open) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(reasonOf(error)));
    server.listen({ host: ip, port, ipv6Only: isIPv6(ip) }, () => {
      server.unref();
      resolve({ close: () => closeServer(server, open), lead });
    });
  });
}

/** Bun gives no reason where descriptors are used up; opening one more does. */
function reasonOf(error: Error): unknown {
  if ("code" in error && error.code !== undefined) return error;
  try {
    closeSync(openSync("/dev/null", "r"));
    return error;
  } catch (reason) {
    return reason;
  }
}

function closeServer(server: Server, open: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
