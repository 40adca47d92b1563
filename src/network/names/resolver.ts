import { messageOf, wrap } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { NamesCalls, ServedSandbox } from "./protocol.ts";
import type { Asker } from "./resolve.ts";
import type { NamedEndpoint } from "./table.ts";

/** A container's place in a network, with what the container itself may ask there. */
export interface KnownEndpoint extends NamedEndpoint {
  readonly containerId: string;
  /** names for this container alone: alias → name on the same network */
  readonly links: ReadonlyMap<string, string>;
  readonly internal: boolean;
}

/** Who is where; told of every change after it. */
interface KnownEndpoints {
  of(containerId: string): readonly KnownEndpoint[];
  subscribe(
    listener: (change: { kind: "joined" | "left" | "renamed"; endpoint: KnownEndpoint }) => void,
  ): unknown;
}

/** The names Worker as the main thread has it. */
export interface NamesThread {
  call<Method extends keyof NamesCalls>(
    method: Method,
    args: Parameters<NamesCalls[Method]>[0],
  ): Promise<unknown>;
  /** it died: no call is answered any more */
  onFailure(listener: (error: Error) => void): void;
  end(): Promise<void>;
}

interface ResolverTools {
  directory: KnownEndpoints;
  startThread(): Promise<NamesThread>;
  /** the host's own addresses in a network, for host.docker.internal; "" = none */
  hostIn(networkId: string): { ipv4: string; ipv6: string };
  /** how long the thread outlives the last container on a user network */
  lingerMs: number;
  logger: Logger;
}

interface AttachRequest {
  containerId: string;
  netnsPath: string;
  dns: readonly string[];
  ndotsSet: boolean;
}

const restartMs = 1000;

/**
 * The resolver at 127.0.0.11, as sandboxes use it: `attach` once a container's namespace is there, `detach` before it
 * goes. Names follow the directory. The thread is there while a container is attached; one that dies is replaced, and
 * told everything again.
 */
export class NameResolver {
  private readonly tools: ResolverTools;
  private readonly endpoints = new Map<string, NamedEndpoint>();
  private readonly attached = new Map<string, AttachRequest>();
  private thread: Promise<NamesThread> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tools: ResolverTools) {
    this.tools = tools;
    tools.directory.subscribe(({ kind, endpoint }) => this.follow(kind, endpoint));
  }

  /** A container that will be attached was created: the thread starts meanwhile. */
  warm(): void {
    if (this.thread) return;
    this.running().catch((error: unknown) => this.warn("start the name resolver", error));
    if (this.attached.size === 0) this.rest();
  }

  /** Resolves when the container's questions are answered. */
  async attach(request: AttachRequest): Promise<void> {
    clearTimeout(this.timer);
    this.attached.set(request.containerId, request);
    try {
      const thread = await this.running();
      await thread.call("serve", this.served(request));
    } catch (error) {
      this.detach(request.containerId);
      throw wrap("start the name resolver", error);
    }
  }

  detach(containerId: string): void {
    if (!this.attached.delete(containerId)) return;
    this.tell("stop", { sandboxId: containerId });
    if (this.attached.size === 0) this.rest();
  }

  /** Nobody is attached: the thread ends in a while. */
  private rest(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.end(), this.tools.lingerMs);
    this.timer.unref();
  }

  async end(): Promise<void> {
    clearTimeout(this.timer);
    const { thread } = this;
    this.thread = undefined;
    try {
      await (await thread)?.end();
    } catch (error) {
      this.warn("end the name resolver", error);
    }
  }

  private follow(kind: "joined" | "left" | "renamed", endpoint: KnownEndpoint): void {
    // a network without names, such as the default bridge
    if (endpoint.names.length > 0) {
      const { endpointId, networkId, networkName, names, ipv4, ipv6 } = endpoint;
      const named = { endpointId, networkId, networkName, names, ipv4, ipv6 };
      if (kind === "left") {
        this.endpoints.delete(endpointId);
        this.tell("withdraw", { endpointIds: [endpointId] });
      } else {
        this.endpoints.set(endpointId, named);
        this.tell("announce", { endpoints: [named] });
      }
    }
    const own = this.attached.get(endpoint.containerId);
    if (own) this.tell("serve", this.served(own));
  }

  /** For what need not be waited for: calls are done in the order in which they are made. */
  private tell<Method extends keyof NamesCalls>(
    method: Method,
    args: Parameters<NamesCalls[Method]>[0],
  ): void {
    this.thread
      ?.then((thread) => thread.call(method, args))
      .catch((error: unknown) => this.warn("tell the name resolver", error));
  }

  private running(): Promise<NamesThread> {
    this.thread ??= this.start().catch((error: unknown) => {
      this.thread = undefined;
      throw error;
    });
    return this.thread;
  }

  /** Starts the thread and tells it what there is. */
  private async start(): Promise<NamesThread> {
    const thread = await this.tools.startThread();
    thread.onFailure((error) => this.replace(error));
    await thread.call("announce", { endpoints: [...this.endpoints.values()] });
    const served = [...this.attached.values()].map((request) => this.served(request));
    const results = await Promise.allSettled(served.map((one) => thread.call("serve", one)));
    for (const result of results)
      if (result.status === "rejected") this.warn("serve a container's names", result.reason);
    return thread;
  }

  private replace(error: Error): void {
    this.warn("the name resolver ended; starting it anew", error);
    this.thread = undefined;
    if (this.attached.size === 0) return;
    this.timer = setTimeout(() => {
      this.running().catch((reason: unknown) => this.warn("start the name resolver", reason));
    }, restartMs);
    this.timer.unref();
  }

  private served({ containerId, netnsPath, dns, ndotsSet }: AttachRequest): ServedSandbox {
    const places = [...this.tools.directory.of(containerId)].sort(byPrecedence);
    const resolving = places.filter(({ names }) => names.length > 0);
    return {
      sandboxId: containerId,
      netnsPath,
      dns,
      asker: {
        networks: resolving.map(askedNetwork),
        forwards: places.some(({ internal }) => !internal),
        ndotsSet,
        host: this.hostOf(places),
      },
    };
  }

  private hostOf(places: readonly KnownEndpoint[]): Asker["host"] {
    const hosts = places.map(({ networkId }) => this.tools.hostIn(networkId));
    return hosts.find(({ ipv4, ipv6 }) => ipv4 !== "" || ipv6 !== "") ?? { ipv4: "", ipv6: "" };
  }

  private warn(what: string, error: unknown): void {
    this.tools.logger.warn(what, { error: messageOf(error) });
  }
}

/** Networks that lead outside come first, then those of both families, then by name: as Docker looks through them. */
function byPrecedence(one: KnownEndpoint, other: KnownEndpoint): number {
  const rank = ({ internal, ipv4, ipv6 }: KnownEndpoint): number =>
    (internal ? 2 : 0) + (ipv4 !== "" && ipv6 !== "" ? 0 : 1);
  return rank(one) - rank(other) || (one.networkName < other.networkName ? -1 : 1);
}

const askedNetwork = ({ networkId, networkName, links }: KnownEndpoint) => ({
  id: networkId,
  name: networkName,
  links: Object.fromEntries([...links].map(([alias, name]) => [alias.toLowerCase(), name.toLowerCase()])),
});
