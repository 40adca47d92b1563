import type { PortRequest } from "../contract.ts";
import { type PublishedPort, partOf } from "./published.ts";
import type { Forwarder } from "./tcp-forwarder.ts";

export interface BoundPort {
  published: PublishedPort;
  /** SCTP and ports by the thousand have none: the packet rules alone carry them */
  forwarder: Forwarder | undefined;
}

/** What is bound, where these ports of the container stand each for itself. */
export function setApart(
  bound: BoundPort,
  ports: readonly Pick<PortRequest, "port" | "protocol">[],
): BoundPort[] {
  const { published } = bound;
  const { protocol, port, count = 1 } = published;
  const offsets = ports
    .filter((one) => one.protocol === protocol && one.port >= port && one.port < port + count)
    .map((one) => one.port - port);
  if (count === 1 || offsets.length === 0) return [bound];
  const cuts = new Set([0, count, ...offsets, ...offsets.map((offset) => offset + 1)]);
  const bounds = [...cuts].sort((a, b) => a - b);
  return bounds.slice(0, -1).map((from, index) => ({
    published: partOf(published, from, (bounds[index + 1] ?? count) - from),
    forwarder: undefined,
  }));
}

/** What of these holds a place of a range: the parts into which it was set apart, where they are all of it. */
export function partsAt(place: PublishedPort, held: Iterable<BoundPort>): BoundPort[] {
  const { protocol, hostIp, port, hostPort, count = 1 } = place;
  const parts = [...held].filter(
    ({ published: one, forwarder }) =>
      forwarder === undefined &&
      one.protocol === protocol &&
      one.hostIp === hostIp &&
      one.hostPort - one.port === hostPort - port &&
      one.hostPort >= hostPort &&
      one.hostPort + (one.count ?? 1) <= hostPort + count,
  );
  return parts.reduce((sum, { published }) => sum + (published.count ?? 1), 0) === count ? parts : [];
}

/** Its ports one by one. */
export function ones({ count = 1, ...request }: PortRequest): PortRequest[] {
  if (count === 1) return [request];
  return Array.from({ length: count }, (_, index) => {
    const hostPort = request.hostPort === 0 ? 0 : request.hostPort + index;
    return { ...request, port: request.port + index, hostPort, hostPortEnd: hostPort };
  });
}
