import { isIPv4 } from "node:net";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { turns } from "../../lib/turns.ts";
import type { PortRequest } from "../contract.ts";
import { PortTable } from "./port-table.ts";
import { programAt } from "./program.ts";
import { type PublishedPort, type PublishTarget, servedBy } from "./published.ts";
import type { Forwarder, ForwardTarget } from "./tcp-forwarder.ts";

export interface BoundPort {
  published: PublishedPort;
  /** SCTP has none: the packet rules alone carry it */
  forwarder: Forwarder | undefined;
}

type Forward = (published: PublishedPort, target: ForwardTarget) => Promise<Forwarder | undefined>;

interface PublisherOptions {
  /** for ports published without an address: "" or "0.0.0.0" is every address of both families */
  defaultAddress: string;
  hasIpv6: boolean;
  /** where free ports are looked for */
  randomRange: { first: number; last: number };
  forward: Forward;
}

/** Gives host ports to containers and holds them. */
export class Publisher {
  private readonly options: PublisherOptions;
  private readonly table = new PortTable();
  private nextRandom: number;

  constructor(options: PublisherOptions) {
    this.options = options;
    this.nextRandom = options.randomRange.first;
  }

  /** Throws Docker's sentence when a port asked for by number is another container's. */
  precheck(requests: readonly PortRequest[], target: PublishTarget): void {
    for (const request of requests) {
      if (request.hostPort === 0 || request.hostPortEnd > request.hostPort) continue;
      this.refuseHeld(request, request.hostPort, target);
    }
  }

  /** Binds all or none. */
  async bind(requests: readonly PortRequest[], target: PublishTarget): Promise<BoundPort[]> {
    const bound: BoundPort[] = [];
    const turn = turns();
    try {
      for (const request of requests) {
        bound.push(...(await this.bindOne(request, target)));
        await turn();
      }
      return bound;
    } catch (error) {
      await this.release(bound);
      throw error;
    }
  }

  /** Takes recorded ports again after a restart; one that another program has now is reported and left to the rules. */
  async rebind(
    ports: readonly PublishedPort[],
    target: PublishTarget,
    report: (text: string) => void,
  ): Promise<BoundPort[]> {
    const bound: BoundPort[] = [];
    const turn = turns();
    for (const published of ports) {
      await turn();
      if (published.hostPort === 0) {
        bound.push({ published, forwarder: undefined });
        continue;
      }
      this.table.hold(published.protocol, published.hostIp, published.hostPort, target.owner);
      const to = { host: servedBy(published.hostIp, target), port: published.port };
      const forwarder = await this.options.forward(published, to).catch((error: unknown) => {
        report(`hold ${published.hostIp} port ${published.hostPort} again: ${messageOf(error)}`);
        return undefined;
      });
      bound.push({ published, forwarder });
    }
    return bound;
  }

  async release(bound: readonly BoundPort[]): Promise<void> {
    const turn = turns();
    const closed: (Promise<void> | undefined)[] = [];
    for (const { forwarder } of bound) {
      closed.push(forwarder?.close());
      await turn();
    }
    await Promise.all(closed);
    for (const { published } of bound)
      this.table.release(published.protocol, published.hostIp, published.hostPort);
  }

  /** Where a port is published: both families, as far as the container can be reached from them. */
  private addresses({ hostIp, protocol }: PortRequest, target: PublishTarget): string[] {
    const asked = hostIp || target.bindAddress || this.options.defaultAddress;
    if (hostIp !== "" || (asked !== "" && asked !== "0.0.0.0"))
      return servedBy(asked, target) === "" ? [] : [asked];
    const ipv6 = target.ipv6 !== "" || (this.options.hasIpv6 && protocol !== "sctp");
    return [...(target.ipv4 === "" ? [] : ["0.0.0.0"]), ...(ipv6 ? ["::"] : [])];
  }

  private async bindOne(request: PortRequest, target: PublishTarget): Promise<BoundPort[]> {
    const wanted = this.addresses(request, target);
    const routed = wanted.filter((ip) => (isIPv4(ip) ? target.routed4 : target.routed6));
    const { protocol, port } = request;
    const open = routed.map((hostIp) => ({
      published: { protocol, port, hostIp, hostPort: 0 },
      forwarder: undefined,
    }));
    if (routed.length === wanted.length) return open;
    return [...open, ...(await this.bindHost(request, target))];
  }

  private async bindHost(request: PortRequest, target: PublishTarget): Promise<BoundPort[]> {
    const fixed = request.hostPort !== 0 && request.hostPortEnd <= request.hostPort;
    if (fixed) this.refuseHeld(request, request.hostPort, target);
    let failure: unknown;
    for (const hostPort of this.candidates(request)) {
      if (!fixed && this.isHeld(request, hostPort, target)) continue;
      try {
        return await this.bindAt(request, hostPort, target);
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new EngineError("internal", "all ports are allocated");
  }

  /** Both families at the same port, or neither. */
  private async bindAt(request: PortRequest, hostPort: number, target: PublishTarget): Promise<BoundPort[]> {
    const bound: BoundPort[] = [];
    const { protocol, port } = request;
    // all addresses are held before the first wait: nobody may come in between
    const wanted = this.hostAddresses(request, target).map((hostIp) => ({
      protocol,
      port,
      hostIp,
      hostPort,
    }));
    for (const { hostIp } of wanted) this.table.hold(protocol, hostIp, hostPort, target.owner);
    try {
      for (const published of wanted) {
        const to = { host: servedBy(published.hostIp, target), port };
        const forwarder = await this.options.forward(published, to);
        bound.push({ published, forwarder });
      }
      return bound;
    } catch (error) {
      const hostIp = wanted[bound.length]?.hostIp ?? "";
      for (const held of wanted.slice(bound.length)) this.table.release(protocol, held.hostIp, hostPort);
      await this.release(bound);
      const inUse = (error as { code?: unknown }).code === "EADDRINUSE";
      const program = inUse ? await programAt(protocol, hostPort) : undefined;
      throw bindFailure(request, { hostIp, hostPort, containerIp: servedBy(hostIp, target), program }, error);
    }
  }

  private *candidates({ hostPort, hostPortEnd }: PortRequest): Generator<number> {
    if (hostPort !== 0) {
      for (let port = hostPort; port <= Math.max(hostPort, hostPortEnd); port++) yield port;
      return;
    }
    const { first, last } = this.options.randomRange;
    for (let tried = first; tried <= last; tried++) {
      const port = this.nextRandom;
      this.nextRandom = port >= last ? first : port + 1;
      yield port;
    }
  }

  /** Those on which a port of the host is taken. */
  private hostAddresses(request: PortRequest, target: PublishTarget): string[] {
    return this.addresses(request, target).filter((ip) => !(isIPv4(ip) ? target.routed4 : target.routed6));
  }

  private isHeld(request: PortRequest, hostPort: number, target: PublishTarget): boolean {
    return this.hostAddresses(request, target).some(
      (ip) => this.table.holder(request.protocol, ip, hostPort) !== undefined,
    );
  }

  private refuseHeld(request: PortRequest, hostPort: number, target: PublishTarget): void {
    for (const ip of this.hostAddresses(request, target)) {
      const holder = this.table.holder(request.protocol, ip, hostPort);
      if (holder !== undefined)
        throw new EngineError(
          "internal",
          `Bind for ${holder.ip}:${hostPort} failed: port is already allocated`,
          { detail: `port ${hostPort}/${request.protocol} is published by container ${holder.owner()}` },
        );
    }
  }
}

const reasons: Record<string, string> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
};

/** Docker's sentence: "failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use". */
function bindFailure(
  request: PortRequest,
  {
    hostIp,
    hostPort,
    containerIp,
    program,
  }: { hostIp: string; hostPort: number; containerIp: string; program: string | undefined },
  error: unknown,
): EngineError {
  const { hostPort: first, hostPortEnd: last, port, protocol } = request;
  const host = isIPv4(hostIp) ? hostIp : `[${hostIp}]`;
  const ranged = last > first;
  const which = ranged
    ? `host port ${hostPort} for ${host}:${first}-${last}`
    : `host port for ${host}:${hostPort}`;
  const reason = reasons[String((error as { code?: unknown }).code)] ?? messageOf(error);
  return new EngineError(
    "internal",
    `failed to bind ${which}:${containerIp}:${port}/${protocol}: ${reason}`,
    {
      cause: error,
      ...(program === undefined ? {} : { detail: `port ${hostPort}/${protocol} is held by ${program}` }),
    },
  );
}
