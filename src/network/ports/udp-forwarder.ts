import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Forwarder, ForwardTarget } from "./tcp-forwarder.ts";

/** as conntrack's for an answered flow */
const idleMs = 90_000;
const clientsMax = 1024;

interface Flow {
  upstream: Socket;
  lastUsed: number;
}

/** Holds a UDP port and passes datagrams on, with one upstream socket a client so that answers find their way. */
export function forwardUdp(ip: string, port: number, target: ForwardTarget): Promise<Forwarder> {
  const server = createSocket(isIPv6(ip) ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
  const flows = new Map<string, Flow>();
  let to = target;
  server.on("message", (message, client) => {
    const flow = flowOf(server, flows, client);
    flow.lastUsed = performance.now();
    flow.upstream.send(message, to.port, to.host);
  });
  const sweeper = setInterval(() => dropIdle(flows, performance.now() - idleMs), idleMs / 3);
  sweeper.unref();
  const close = (): Promise<void> => {
    clearInterval(sweeper);
    dropIdle(flows, Number.POSITIVE_INFINITY);
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      clearInterval(sweeper);
      reject(error);
    });
    server.bind({ address: ip, port, exclusive: true }, () => {
      server.unref();
      resolve({
        close,
        lead: (next) => {
          to = next;
        },
      });
    });
  });
}

function flowOf(server: Socket, flows: Map<string, Flow>, client: RemoteInfo): Flow {
  const key = `${client.address} ${client.port}`;
  const known = flows.get(key);
  if (known) return known;
  const oldest = flows.size >= clientsMax ? flows.keys().next().value : undefined;
  if (oldest !== undefined) drop(flows, oldest);
  const upstream = createSocket("udp4");
  upstream.on("message", (answer) => server.send(answer, client.port, client.address));
  // an ICMP refusal of the container: datagrams get lost, that is UDP
  upstream.on("error", () => drop(flows, key));
  upstream.unref();
  const flow = { upstream, lastUsed: performance.now() };
  flows.set(key, flow);
  return flow;
}

function drop(flows: Map<string, Flow>, key: string): void {
  flows.get(key)?.upstream.close();
  flows.delete(key);
}

function dropIdle(flows: Map<string, Flow>, before: number): void {
  for (const [key, flow] of flows) if (flow.lastUsed < before) drop(flows, key);
}
