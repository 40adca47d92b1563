import { type Poller, readable } from "../../system/inet/poller.ts";
import { acceptTcp, bindUdp, listenTcp, portOf } from "../../system/inet/socket.ts";
import { sendTo, type UdpBatch } from "../../system/inet/udp-batch.ts";
import type { NamespaceThread } from "../../system/namespaces/netns.ts";
import { type Forwarder, Forwards } from "./forwarder.ts";
import type { ServedSandbox, Upstream } from "./protocol.ts";
import { type ResolverPorts, resolverAddress } from "./redirect.ts";
import { resolve, type Transport } from "./resolve.ts";
import type { NameTable } from "./table.ts";
import { TcpClient } from "./tcp-client.ts";
import type { HostServers } from "./upstreams.ts";

export interface SandboxTools {
  poller: Poller;
  thread: Pick<NamespaceThread, "enter">;
  table: NameTable;
  batch: UdpBatch;
  forwarder: Forwarder;
  hostServers: HostServers;
  /** the sandboxes to be looked after by the clock */
  waiting: Set<Sandbox>;
  /** makes port 53 lead to ours; called within the namespace */
  redirect: (ports: ResolverPorts) => void;
}

const anyPort = { address: resolverAddress, port: 0 };
const backlog = 64;
const clientsMax = 64;
/** some 2,700 questions: a client's burst, or 0.1 s at 20,000 a second in which the thread gets no processor */
const waitingMax = 1 << 20;

/** The resolver as one container has it: sockets in its namespace, and whom it may ask. */
export class Sandbox {
  served: ServedSandbox;
  private readonly tools: SandboxTools;
  private readonly forwards: Forwards;
  private readonly clients = new Set<TcpClient>();
  private readonly sockets: number[] = [];

  constructor(served: ServedSandbox, tools: SandboxTools) {
    this.served = served;
    this.tools = tools;
    this.forwards = new Forwards(tools.forwarder, served.netnsPath);
    try {
      tools.thread.enter(served.netnsPath, () => this.listen());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  tick(nowMs: number): void {
    this.forwards.tick(nowMs);
    for (const client of [...this.clients]) client.tick(nowMs);
    if (this.forwards.size + this.clients.size === 0) this.tools.waiting.delete(this);
  }

  close(): void {
    this.tools.waiting.delete(this);
    this.forwards.end();
    for (const client of [...this.clients]) client.close();
    for (const fd of this.sockets.splice(0)) this.tools.poller.close(fd);
  }

  private listen(): void {
    const { poller, redirect } = this.tools;
    const udp = bindUdp(anyPort, waitingMax);
    this.sockets.push(udp);
    poller.add(udp, readable, () => this.receive(udp));
    const tcp = listenTcp(anyPort, backlog);
    this.sockets.push(tcp);
    poller.add(tcp, readable, () => this.accept(tcp));
    redirect({ udp: portOf(udp), tcp: portOf(tcp) });
  }

  /** One batch, then it is the others' turn. */
  private receive(fd: number): void {
    const { batch } = this.tools;
    const count = batch.receive(fd);
    for (let index = 0; index < count; index++) {
      const bytes = batch.datagram(index);
      const sender = batch.sender(index);
      this.answer(bytes, "udp", {
        now: (reply) => sendTo(fd, reply, sender),
        later: () => {
          const client = Buffer.from(sender);
          return (reply) => {
            if (this.sockets.includes(fd)) sendTo(fd, reply, client);
          };
        },
      });
    }
  }

  private accept(listener: number): void {
    const fd = acceptTcp(listener);
    if (fd === undefined) return;
    const [oldest] = this.clients;
    if (this.clients.size >= clientsMax) oldest?.close();
    const client = new TcpClient(
      fd,
      {
        poller: this.tools.poller,
        question: (bytes, reply) => this.answer(bytes, "tcp", { now: reply, later: () => reply }),
        closed: () => this.clients.delete(client),
      },
      performance.now(),
    );
    this.clients.add(client);
    this.tools.waiting.add(this);
  }

  /** `bytes` may be overwritten once this returns. */
  private answer(
    bytes: Buffer,
    transport: Transport,
    reply: { now: (bytes: Buffer) => void; later: () => (bytes: Buffer) => void },
  ): void {
    const decision = resolve(bytes, transport, this.served.asker, this.tools.table);
    if (!decision) return;
    if ("reply" in decision) {
      reply.now(decision.reply);
      return;
    }
    const nowMs = performance.now();
    const servers = this.served.dns.length > 0 ? ownServers(this.served) : this.tools.hostServers.list(nowMs);
    const request = { query: decision.forward, bytes: Buffer.from(bytes), transport, reply: reply.later() };
    this.tools.waiting.add(this);
    this.forwards.start(request, servers, nowMs);
  }
}

/** The user's servers; a question to 127.0.0.11 would come back to us, again and again. */
const ownServers = ({ dns }: ServedSandbox): Upstream[] =>
  dns.filter((address) => address !== resolverAddress).map((address) => ({ address, from: "container" }));
