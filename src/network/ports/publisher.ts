import { isIP, isIPv4 } from "node:net";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { turns } from "../../lib/turns.ts";
import type { PortRequest } from "../contract.ts";
import { bindFailure } from "./bind-failure.ts";
import { type BoundPort, ones, partsAt } from "./bound.ts";
import { excludes, PortTable, type Span } from "./port-table.ts";
import { busyPorts, programAt } from "./program.ts";
import { type PublishedPort, type PublishTarget, servedBy, spanOf } from "./published.ts";
import type { Forwarder, ForwardTarget } from "./tcp-forwarder.ts";

type Forward = (published: PublishedPort, target: ForwardTarget) => Promise<Forwarder | undefined>;

interface PublisherOptions {
  /** for ports published without an address: "" or "0.0.0.0" is every address of both families */
  defaultAddress: string;
  hasIpv6: boolean;
  /** where free ports are looked for */
  randomRange: { first: number; last: number };
  forward: Forward;
  /** so many ports of a range are held by sockets; more are left to the packet rules */
  socketsMax: number;
  /** so many ports of a container are held by sockets; more are refused */
  containerMax: number;
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
    this.units(requests, target);
    for (const request of requests) if (isFixed(request)) this.refuseHeld(request, target);
  }

  /** Binds all or none. */
  bind(requests: readonly PortRequest[], target: PublishTarget): Promise<BoundPort[]> {
    return this.bindUnits(this.units(requests, target), target);
  }

  /**
   * The same ports by another target. Places that it has stay held as they are, and what is new is taken before anything is
   * let go of, but for what stands in its way: that goes first, out of `before`, and is taken again where this fails.
   * `left` is not wanted any more; the caller releases it, and has the others lead to the target, once the rules do.
   */
  async move(
    before: BoundPort[],
    requests: readonly PortRequest[],
    target: PublishTarget,
    report: (text: string) => void,
  ): Promise<{ bound: BoundPort[]; left: BoundPort[] }> {
    const known = new Map(before.map((one) => [nameOf(one.published), one]));
    const { open, kept, missing, asked } = this.plan(requests, target, known);
    const blocks = (one: BoundPort): boolean =>
      !kept.has(one) && missing.some((place) => collide(spanOf(place), spanOf(one.published)));
    const inTheWay = before.filter(blocks);
    for (const one of inTheWay) before.splice(before.indexOf(one), 1);
    await this.release(inTheWay);
    try {
      const taken = await this.bindUnits(asked, target);
      return { bound: [...open, ...kept, ...taken], left: before.filter((one) => !kept.has(one)) };
    } catch (error) {
      before.push(...(await this.restore(inTheWay, target, report)));
      throw error;
    }
  }

  /** They are the target's, and lead there. */
  lead(bound: readonly BoundPort[], target: PublishTarget): void {
    for (const { published, forwarder } of bound) {
      if (published.hostPort === 0) continue;
      this.table.hold(spanOf(published), target.owner);
      forwarder?.lead(forwardTarget(published, target));
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
      if (published.hostPort !== 0) this.table.hold(spanOf(published), target.owner);
      if (published.hostPort === 0 || published.count !== undefined) {
        bound.push({ published, forwarder: undefined });
        continue;
      }
      const forwarder = await this.options
        .forward(published, forwardTarget(published, target))
        .catch((error: unknown) => {
          report(`hold ${published.hostIp} port ${published.hostPort} again: ${messageOf(error)}`);
          return undefined;
        });
      bound.push({ published, forwarder });
    }
    return bound;
  }

  /** Takes again what was released; what rules alone carried stays theirs. */
  async restore(
    released: readonly BoundPort[],
    target: PublishTarget,
    report: (text: string) => void,
  ): Promise<BoundPort[]> {
    const byRules = released.filter(({ forwarder }) => forwarder === undefined);
    for (const { published } of byRules) this.table.hold(spanOf(published), target.owner);
    const others = released.filter(({ forwarder }) => forwarder !== undefined);
    const published = others.map((one) => one.published);
    return [...byRules, ...(await this.rebind(published, target, report))];
  }

  async release(bound: readonly BoundPort[]): Promise<void> {
    await close(bound);
    for (const { published } of bound) this.table.release(spanOf(published));
  }

  private async bindUnits(units: readonly PortRequest[], target: PublishTarget): Promise<BoundPort[]> {
    const bound: BoundPort[] = [];
    const turn = turns();
    try {
      for (const request of units) {
        bound.push(...(await this.bindOne(request, target)));
        await turn();
      }
      return bound;
    } catch (error) {
      await this.release(bound);
      throw error;
    }
  }

  /** Which places of these requests are held already, and what is to be asked for. */
  private plan(
    requests: readonly PortRequest[],
    target: PublishTarget,
    known: ReadonlyMap<string, BoundPort>,
  ) {
    const open: BoundPort[] = [];
    const kept = new Set<BoundPort>();
    const missing: PublishedPort[] = [];
    const asked: PortRequest[] = [];
    const placesOf = (request: PortRequest) => this.places(request, request.hostPort, target);
    const heldAt = (place: PublishedPort): BoundPort[] => {
      const same = known.get(nameOf(place));
      if (same) return [same];
      return place.count === undefined ? [] : partsAt(place, known.values());
    };
    // a part of a range that rules carry stays theirs, however short it has become
    const isHeldRun = (request: PortRequest): boolean =>
      isRun(request) && placesOf(request).some((place) => heldAt(place).length > 0);
    for (const request of this.units(requests, target, isHeldRun)) {
      if (!isFixed(request)) {
        asked.push(request);
        continue;
      }
      open.push(...this.open(request, target));
      for (const place of placesOf(request)) {
        const held = heldAt(place);
        for (const one of held) kept.add(one);
        if (held.length > 0) continue;
        missing.push(place);
        asked.push({ ...request, hostIp: place.hostIp });
      }
    }
    return { open, kept, missing, asked };
  }

  /** What is bound at once: a range is so many ports, unless they are too many for a socket each. */
  private units(
    requests: readonly PortRequest[],
    target: PublishTarget,
    isHeldRun: (request: PortRequest) => boolean = () => false,
  ): PortRequest[] {
    const units = requests.flatMap((request) =>
      this.isLeftToRules(request, target) || isHeldRun(request) ? [request] : ones(request),
    );
    const singles = units.filter((request) => !isRun(request)).length;
    const { containerMax, socketsMax } = this.options;
    if (singles > containerMax)
      throw new EngineError(
        "invalid",
        `${singles} ports are too many to be published one by one (at most ${containerMax}; ranges of more than ${socketsMax} do not count)`,
      );
    return units;
  }

  private isLeftToRules(request: PortRequest, target: PublishTarget): boolean {
    if (!isRun(request) || (request.count ?? 1) <= this.options.socketsMax) return false;
    // where no rule leads there, only sockets can
    const led = [...this.open(request, target), ...this.places(request, request.hostPort, target)];
    return led.length > 0;
  }

  /** Where a port is published: both families, as far as the container can be reached from them. */
  private addresses({ hostIp, protocol }: PortRequest, target: PublishTarget): string[] {
    const asked = hostIp || target.bindAddress || this.options.defaultAddress;
    if (hostIp !== "" || (asked !== "" && asked !== "0.0.0.0"))
      return servedBy(asked, target) === "" ? [] : [asked];
    const ipv6 = target.ipv6 !== "" || (this.options.hasIpv6 && protocol !== "sctp");
    return [...(target.ipv4 === "" ? [] : ["0.0.0.0"]), ...(ipv6 ? ["::"] : [])];
  }

  /** Those on which a port of the host is taken. */
  private hostAddresses(request: PortRequest, target: PublishTarget): string[] {
    return this.addresses(request, target).filter((ip) => !isRouted(ip, target));
  }

  /** What is taken for it at this port of the host. */
  private places(request: PortRequest, hostPort: number, target: PublishTarget): PublishedPort[] {
    const { protocol, port, count = 1 } = request;
    // rules do not lead from one family to the other, nor from IPv6's loopback
    const served = (ip: string): boolean =>
      count === 1 || (isIP(servedBy(ip, target)) === isIP(ip) && !isLoopback6(ip));
    return this.hostAddresses(request, target)
      .filter(served)
      .map((hostIp) => ({ protocol, port, hostIp, hostPort, ...(count > 1 ? { count } : {}) }));
  }

  /** What is open at the container's own address. */
  private open(request: PortRequest, target: PublishTarget): BoundPort[] {
    const { protocol, port, count = 1 } = request;
    return this.addresses(request, target)
      .filter((ip) => isRouted(ip, target))
      .map((hostIp) => ({
        published: { protocol, port, hostIp, hostPort: 0, ...(count > 1 ? { count } : {}) },
        forwarder: undefined,
      }));
  }

  private async bindOne(request: PortRequest, target: PublishTarget): Promise<BoundPort[]> {
    const open = this.open(request, target);
    if (open.length === this.addresses(request, target).length) return open;
    const bind = (request.count ?? 1) > 1 ? this.bindRun(request, target) : this.bindHost(request, target);
    return [...open, ...(await bind)];
  }

  /**
   * Ports by the thousand: a socket for each would cost the host more than all else, and its programs the ports they
   * call from. The packet rules carry them; what a program listens at now is refused all the same.
   */
  private async bindRun(request: PortRequest, target: PublishTarget): Promise<BoundPort[]> {
    const { protocol, port, hostPort, count = 1 } = request;
    this.refuseHeld(request, target);
    const bound = this.places(request, hostPort, target).map((published) => ({
      published,
      forwarder: undefined,
    }));
    for (const { published } of bound) this.table.hold(spanOf(published), target.owner);
    try {
      for (const busy of await busyPorts(protocol, hostPort, hostPort + count - 1)) {
        const one = { ...request, port: port + busy - hostPort, hostPort: busy, hostPortEnd: busy, count: 1 };
        await close(await this.listen(one, this.places(one, busy, target), target));
      }
      return bound;
    } catch (error) {
      await this.release(bound);
      throw error;
    }
  }

  private async bindHost(request: PortRequest, target: PublishTarget): Promise<BoundPort[]> {
    const fixed = isFixed(request);
    if (fixed) this.refuseHeld(request, target);
    let failure: unknown;
    for (const hostPort of this.candidates(request)) {
      if (!fixed && this.holder(request, hostPort, target)) continue;
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
    const places = this.places(request, hostPort, target);
    // all addresses are held before the first wait: nobody may come in between
    for (const place of places) this.table.hold(spanOf(place), target.owner);
    try {
      return await this.listen(request, places, target);
    } catch (error) {
      for (const place of places) this.table.release(spanOf(place));
      throw error;
    }
  }

  /** Sockets at all of these places, or none. */
  private async listen(
    request: PortRequest,
    places: readonly PublishedPort[],
    target: PublishTarget,
  ): Promise<BoundPort[]> {
    const bound: BoundPort[] = [];
    for (const published of places) {
      const { hostIp, hostPort, protocol } = published;
      try {
        const forwarder = await this.options.forward(published, forwardTarget(published, target));
        bound.push({ published, forwarder });
      } catch (error) {
        await close(bound);
        const inUse = (error as { code?: unknown }).code === "EADDRINUSE";
        const program = inUse ? await programAt(protocol, hostPort) : undefined;
        throw bindFailure(
          request,
          { hostIp, hostPort, containerIp: servedBy(hostIp, target), program },
          error,
        );
      }
    }
    return bound;
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

  private holder({ protocol, count = 1, ...request }: PortRequest, first: number, target: PublishTarget) {
    for (const ip of this.hostAddresses({ ...request, protocol }, target)) {
      const holder = this.table.holder({ protocol, ip, first, last: first + count - 1 });
      if (holder) return holder;
    }
    return undefined;
  }

  private refuseHeld(request: PortRequest, target: PublishTarget): void {
    const holder = this.holder(request, request.hostPort, target);
    if (!holder) return;
    const { ip, port, owner } = holder;
    throw new EngineError("internal", `Bind for ${ip}:${port} failed: port is already allocated`, {
      detail: `port ${port}/${request.protocol} is published by container ${owner()}`,
    });
  }
}

/** One host port for each of its ports, and no choice. */
const isFixed = ({ hostPort, hostPortEnd }: PortRequest): boolean =>
  hostPort !== 0 && hostPortEnd <= hostPort;

const isRun = ({ count = 1, hostPort }: PortRequest): boolean => count > 1 && hostPort !== 0;

/** "::1", however it is written. */
const isLoopback6 = (ip: string): boolean => /^[0:]*:0*1$/.test(ip);

const isRouted = (ip: string, { routed4, routed6 }: PublishTarget): boolean =>
  isIPv4(ip) ? routed4 : routed6;

const nameOf = ({ protocol, port, hostIp, hostPort, count = 1 }: PublishedPort): string =>
  `${protocol} ${hostIp} ${hostPort} ${port} ${count}`;

const collide = (one: Span, other: Span): boolean =>
  one.protocol === other.protocol &&
  one.first <= other.last &&
  other.first <= one.last &&
  excludes(one.ip, other.ip);

const forwardTarget = ({ hostIp, port }: PublishedPort, target: PublishTarget): ForwardTarget => ({
  host: servedBy(hostIp, target),
  port,
});

async function close(bound: readonly BoundPort[]): Promise<void> {
  const turn = turns();
  const closed: (Promise<void> | undefined)[] = [];
  for (const { forwarder } of bound) {
    closed.push(forwarder?.close());
    await turn();
  }
  await Promise.all(closed);
}
