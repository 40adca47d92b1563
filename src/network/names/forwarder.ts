import { isAnswerTo, type Query, rcodeOf } from "../../lib/dns/query.ts";
import { failure, rcode } from "../../lib/dns/reply.ts";
import type { Upstream } from "./protocol.ts";
import type { Transport } from "./resolve.ts";
import { ServerHealth } from "./upstreams.ts";

/** A question sent to one server. */
export interface Asking {
  /** sends it once more (UDP) */
  repeat(): void;
  close(): void;
}

export interface AskListener {
  message(bytes: Buffer): void;
  /** refused, unreachable, cut off: no answer will come this way */
  failed(): void;
}

/** Sends a message to a server, from the container's namespace where it is not the host's. Throws where it cannot. */
export type Ask = (
  server: Upstream,
  from: { netnsPath: string; transport: Transport },
  message: Buffer,
  listener: AskListener,
) => Asking;

interface ForwardRequest {
  query: Query;
  /** the client's message; the forwarder's to keep */
  bytes: Buffer;
  transport: Transport;
  reply(bytes: Buffer): void;
}

/** What one container may have under way, so that a flood from it leaves room for the others. */
const pendingMax = 256;
/** and all together: each has a socket */
const pendingTotalMax = 2048;
/** stub resolvers wait 5 s */
const giveUpMs = 4000;
/** then another server is asked as well, or the same one again */
const hastenMs = 1000;
/** a server that had this long and said nothing was silent */
const silentMs = 1500;

/** All containers' questions together, and how many of them each may have under way. */
export class Forwarder {
  readonly ask: Ask;
  total = 0;
  /** containers with questions under way */
  private readonly busy = new Set<Forwards>();

  constructor(ask: Ask) {
    this.ask = ask;
  }

  /**
   * Whether this container may have one more under way. Once all places are taken, who has less than an equal share takes
   * one of whoever has the most: containers that flood leave each other one less, and everyone else room.
   */
  admit(forwards: Forwards): boolean {
    if (forwards.size >= pendingMax) return false;
    if (this.total < pendingTotalMax) return true;
    const sharers = this.busy.size + (forwards.size === 0 ? 1 : 0);
    if (forwards.size >= Math.floor(pendingTotalMax / sharers)) return false;
    let largest = forwards;
    for (const other of this.busy) if (other.size > largest.size) largest = other;
    // the places are taken, so another has more than its share unless more containers ask than there are places
    if (largest.size <= forwards.size + 1) return false;
    largest.refuseOldest();
    return true;
  }

  count(forwards: Forwards, change: 1 | -1): void {
    this.total += change;
    if (forwards.size > 0) this.busy.add(forwards);
    else this.busy.delete(forwards);
  }
}

/** The questions of one container that others have to answer. */
export class Forwards {
  private readonly forwarder: Forwarder;
  private readonly netnsPath: string;
  private readonly health = new ServerHealth();
  private readonly pending = new Set<Exchange>();

  constructor(forwarder: Forwarder, netnsPath: string) {
    this.forwarder = forwarder;
    this.netnsPath = netnsPath;
  }

  get size(): number {
    return this.pending.size;
  }

  /** Replies at once when nobody can be asked. */
  start(request: ForwardRequest, servers: readonly Upstream[], nowMs: number): void {
    const { forwarder, health } = this;
    const chosen = health.choose(servers, nowMs);
    // admitting may cost another its place: only a question that will be asked
    if (chosen.length === 0 || !forwarder.admit(this)) {
      request.reply(failure(request.query, request.bytes, rcode.serverFailure));
      return;
    }
    const exchange = new Exchange(request, chosen, {
      ask: (server, message, listener) =>
        forwarder.ask(server, { netnsPath: this.netnsPath, transport: request.transport }, message, listener),
      health,
      done: () => {
        if (this.pending.delete(exchange)) forwarder.count(this, -1);
      },
    });
    this.pending.add(exchange);
    forwarder.count(this, 1);
    exchange.begin(nowMs);
  }

  /** Looks after those that wait for long; to be called several times a second. */
  tick(nowMs: number): void {
    for (const exchange of [...this.pending]) exchange.tick(nowMs);
  }

  /** Another container needs the place: the one that waits the longest is told that it failed. */
  refuseOldest(): void {
    for (const exchange of this.pending) {
      exchange.refuse();
      return;
    }
  }

  end(): void {
    for (const exchange of [...this.pending]) exchange.drop();
  }
}

interface ExchangeTools {
  ask(server: Upstream, message: Buffer, listener: AskListener): Asking;
  health: ServerHealth;
  done(): void;
}

/** One question on its way through the servers: the next is asked when one fails or takes long. */
class Exchange {
  private readonly request: ForwardRequest;
  private readonly servers: readonly Upstream[];
  private readonly tools: ExchangeTools;
  /** the question under an id of our own: who guesses ids knows the client's */
  private readonly message: Buffer;
  private readonly open = new Map<string, { asking: Asking; sinceMs: number }>();
  private next = 0;
  private startedMs = 0;
  private hastenedMs = 0;

  constructor(request: ForwardRequest, servers: readonly Upstream[], tools: ExchangeTools) {
    this.request = request;
    this.servers = servers;
    this.tools = tools;
    this.message = Buffer.from(request.bytes);
    crypto.getRandomValues(this.message.subarray(0, 2));
  }

  begin(nowMs: number): void {
    this.startedMs = nowMs;
    this.askNext(nowMs);
  }

  tick(nowMs: number): void {
    if (nowMs - this.startedMs >= giveUpMs) this.giveUp(nowMs);
    else if (nowMs - this.hastenedMs >= hastenMs && !this.askNext(nowMs)) {
      for (const { asking } of this.open.values()) asking.repeat();
    }
  }

  refuse(): void {
    this.finish(this.failure());
  }

  drop(): void {
    for (const { asking } of this.open.values()) asking.close();
    this.open.clear();
    this.tools.done();
  }

  /** Asks the next server that can be asked; with none left and nobody asked, the question has failed. */
  private askNext(nowMs: number): boolean {
    this.hastenedMs = nowMs;
    for (;;) {
      const server = this.servers[this.next++];
      if (!server) break;
      try {
        const { address } = server;
        const listener = {
          message: (bytes: Buffer) => this.receive(address, bytes),
          failed: () => this.fail(address),
        };
        const asking = this.tools.ask(server, this.message, listener);
        this.open.set(address, { asking, sinceMs: nowMs });
        return true;
      } catch {
        // no route, no such family: as good as refused
      }
    }
    if (this.open.size === 0) this.finish(this.failure());
    return false;
  }

  private receive(address: string, bytes: Buffer): void {
    const { query } = this.request;
    // not an answer to this: a forger may have guessed the port, the real one may still come
    if (!isAnswerTo(bytes, this.message, query.questionEnd)) return;
    this.tools.health.answered(address);
    const code = rcodeOf(bytes);
    if (code === rcode.serverFailure || code === rcode.refused) {
      this.fail(address);
      return;
    }
    const reply = Buffer.from(bytes);
    this.request.bytes.copy(reply, 0, 0, 2);
    this.finish(reply);
  }

  private fail(address: string): void {
    this.open.get(address)?.asking.close();
    this.open.delete(address);
    if (this.open.size === 0) this.askNext(this.hastenedMs);
  }

  private giveUp(nowMs: number): void {
    for (const [address, { sinceMs }] of this.open)
      if (nowMs - sinceMs >= silentMs) this.tools.health.silent(address, nowMs);
    this.finish(this.failure());
  }

  private finish(reply: Buffer): void {
    this.drop();
    this.request.reply(reply);
  }

  private failure(): Buffer {
    return failure(this.request.query, this.request.bytes, rcode.serverFailure);
  }
}
