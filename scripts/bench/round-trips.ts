/**
 * One end of the packets whose time is taken, to be run inside a network namespace.
 *
 *     round-trips.ts serve PORT             accepts TCP and answers UDP
 *     round-trips.ts ask ADDRESS PORT       prints the median times in microseconds: a TCP connect, the first UDP round
 *                                           trip of a flow, and one within a flow
 */

import { Poller, readable, writable } from "../../src/system/inet/poller.ts";
import { again, beginTcp, connectUdp, receive, send } from "../../src/system/inet/socket.ts";

const count = 500;

export interface RoundTrips {
  connect: number;
  firstUdp: number;
  laterUdp: number;
}

async function serve(port: number): Promise<void> {
  Bun.listen({ hostname: "0.0.0.0", port, socket: { data: () => undefined } });
  await Bun.udpSocket({
    hostname: "0.0.0.0",
    port,
    socket: { data: (socket, data, from, address) => void socket.send(data, from, address) },
  });
  console.log("ready");
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Microseconds until `fd` is ready for `events`, counted from `startMs`. */
function until(fd: number, events: number, startMs: number): number {
  const poller = new Poller();
  poller.add(fd, events, () => undefined);
  poller.wait(1000);
  const tookMs = performance.now() - startMs;
  poller.close(fd);
  poller.end();
  return tookMs * 1000;
}

function connectTime(endpoint: { address: string; port: number }): number {
  const startMs = performance.now();
  const fd = beginTcp(endpoint);
  return until(fd, writable, startMs);
}

function roundTrip(fd: number, poller: Poller): number {
  const startMs = performance.now();
  send(fd, Buffer.of(1));
  poller.wait(1000);
  const tookUs = (performance.now() - startMs) * 1000;
  const answer = Buffer.alloc(16);
  while (receive(fd, answer) !== again);
  return tookUs;
}

function ask(endpoint: { address: string; port: number }): RoundTrips {
  const connects = Array.from({ length: count }, () => connectTime(endpoint));
  const first = Array.from({ length: count }, () => {
    const startMs = performance.now();
    const fd = connectUdp(endpoint);
    send(fd, Buffer.of(1));
    return until(fd, readable, startMs);
  });
  const fd = connectUdp(endpoint);
  const poller = new Poller();
  poller.add(fd, readable, () => undefined);
  const later = Array.from({ length: count }, () => roundTrip(fd, poller));
  poller.end();
  return { connect: median(connects), firstUdp: median(first), laterUdp: median(later) };
}

const [mode, ...args] = process.argv.slice(2);
if (mode === "serve") await serve(Number(args[0]));
else console.log(JSON.stringify(ask({ address: args[0] ?? "", port: Number(args[1]) })));
