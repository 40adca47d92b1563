import { Poller } from "../../system/inet/poller.ts";
import { UdpBatch } from "../../system/inet/udp-batch.ts";
import { NamespaceThread } from "../../system/namespaces/netns.ts";
import { Libnftables } from "../../system/nftables/nftables.ts";
import { Forwarder } from "./forwarder.ts";
import type { NamesCalls, ServedSandbox } from "./protocol.ts";
import { type ResolverPorts, redirectRules } from "./redirect.ts";
import { Sandbox, type SandboxTools } from "./sandbox.ts";
import { type NamedEndpoint, NameTable } from "./table.ts";
import { HostServers } from "./upstreams.ts";
import { askBySocket } from "./wire.ts";

/** datagrams read from one container before it is the next one's turn */
const batchSize = 16;
const questionMax = 4096;
const tickMs = 50;

/** The resolver of all containers, on a thread of its own: `poll` again and again, calls in between. */
export class NameServer implements NamesCalls {
  private readonly sandboxes = new Map<string, Sandbox>();
  private readonly poller = new Poller();
  private readonly tools: SandboxTools;
  private tickedMs = 0;
  private readonly thread = new NamespaceThread();
  ended = false;

  constructor() {
    const { poller, thread } = this;
    this.tools = {
      poller,
      thread,
      table: new NameTable(),
      batch: new UdpBatch(batchSize, questionMax),
      forwarder: new Forwarder(askBySocket(poller, thread)),
      hostServers: new HostServers(),
      waiting: new Set(),
      redirect: redirectHere,
    };
  }

  open(): { wakeFd: number } {
    return { wakeFd: this.poller.wakeFd };
  }

  serve(served: ServedSandbox): void {
    const known = this.sandboxes.get(served.sandboxId);
    if (known) known.served = served;
    else this.sandboxes.set(served.sandboxId, new Sandbox(served, this.tools));
  }

  stop({ sandboxId }: { sandboxId: string }): void {
    this.sandboxes.get(sandboxId)?.close();
    this.sandboxes.delete(sandboxId);
  }

  announce({ endpoints }: { endpoints: readonly NamedEndpoint[] }): void {
    for (const endpoint of endpoints) this.tools.table.announce(endpoint);
  }

  withdraw({ endpointIds }: { endpointIds: readonly string[] }): void {
    for (const id of endpointIds) this.tools.table.withdraw(id);
  }

  close(): void {
    this.ended = true;
    for (const sandbox of this.sandboxes.values()) sandbox.close();
    this.sandboxes.clear();
    this.poller.end();
    this.thread.close();
  }

  /** Waits for packets (for ever, where `timeoutMs` is not given and nothing is under way) and serves those that came. */
  poll(timeoutMs?: number): boolean {
    const { waiting } = this.tools;
    const woken = this.poller.wait(timeoutMs ?? (waiting.size > 0 ? tickMs : -1));
    const nowMs = performance.now();
    if (nowMs - this.tickedMs >= tickMs) {
      this.tickedMs = nowMs;
      for (const sandbox of [...waiting]) sandbox.tick(nowMs);
    }
    return woken;
  }
}

/** A context of libnftables belongs to the namespace in which it was made. */
function redirectHere(ports: ResolverPorts): void {
  const nftables = new Libnftables(1);
  try {
    nftables.run(redirectRules(ports));
  } finally {
    nftables.close();
  }
}
