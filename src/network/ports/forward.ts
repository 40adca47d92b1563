import type { PublishedPort } from "./published.ts";
import { type Forwarder, type ForwardTarget, forwardTcp } from "./tcp-forwarder.ts";
import { forwardUdp } from "./udp-forwarder.ts";

/** Holds a host port in its protocol; SCTP is left to the packet rules. */
export async function forwardPort(
  published: PublishedPort,
  target: ForwardTarget,
): Promise<Forwarder | undefined> {
  if (published.protocol === "sctp") return undefined;
  const forward = published.protocol === "tcp" ? forwardTcp : forwardUdp;
  return forward(published.hostIp, published.hostPort, target);
}
