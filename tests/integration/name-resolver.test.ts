import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type } from "../../src/lib/dns/query.ts";
import { type AskOptions, question, readReply } from "../../src/lib/dns/testing.ts";
import { silentLogger } from "../../src/lib/log.ts";
import { NameResolver } from "../../src/network/names/resolver.ts";
import { startNamesThread } from "../../src/network/names/thread.ts";
import { beginTcp, bindUdp, connectUdp, receive, send } from "../../src/system/inet/socket.ts";
import { sendTo, UdpBatch } from "../../src/system/inet/udp-batch.ts";
import { NamespaceThread, removeNamespace } from "../../src/system/namespaces/netns.ts";
import { setUp } from "../../src/system/netlink/requests.ts";
import { NetlinkSocket } from "../../src/system/netlink/socket.ts";

/** The resolver in real namespaces, without an engine around it: the tests play containers and outside servers. */
const thread = new NamespaceThread();
const folder = mkdtempSync(join(tmpdir(), "berth-names-"));
const floods = Array.from({ length: 9 }, (_, index) => `flood${index}`);
const containers = ["one", "two", ...floods];
const namespaces = containers.map((name) => join(folder, name));
const [one = "", two = ""] = namespaces;
const nameServer = { address: "127.0.0.11", port: 53 };
const outside = "127.0.0.77";
const waitMs = 20_000;

const open = (): NameResolver =>
  new NameResolver({
    directory: {
      of: (containerId) => [
        {
          endpointId: containerId,
          containerId,
          networkId: "n",
          networkName: "net",
          names: [containerId],
          ipv4: containerId === "one" ? "10.0.0.2" : "10.0.0.3",
          ipv6: "",
          links: new Map(),
          internal: false,
        },
      ],
      subscribe(listener) {
        for (const id of containers)
          for (const endpoint of this.of(id)) queueMicrotask(() => listener({ kind: "joined", endpoint }));
      },
    },
    startThread: () => startNamesThread((text) => console.error(text)),
    hostIn: () => ({ ipv4: "10.0.0.1", ipv6: "" }),
    lingerMs: 60_000,
    logger: silentLogger,
  });

let resolver: NameResolver;

const attach = (containerId: string, netnsPath: string): Promise<void> =>
  resolver.attach({ containerId, netnsPath, dns: [outside], ndotsSet: false });

beforeAll(async () => {
  for (const path of namespaces)
    thread.create(path, () => {
      const netlink = new NetlinkSocket();
      netlink.apply([setUp("lo")]);
      netlink.close();
    });
  resolver = open();
  await attach("one", one);
  await attach("two", two);
});

afterAll(async () => {
  await resolver.end();
  for (const path of namespaces) removeNamespace(path);
  thread.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What `read` makes of the socket, as soon as it makes something of it. */
async function awaited<T>(read: () => T | undefined): Promise<T> {
  for (const end = performance.now() + waitMs; performance.now() < end; await Bun.sleep(1)) {
    const found = read();
    if (found !== undefined) return found;
  }
  throw new Error("nothing came");
}

interface Ask extends AskOptions {
  kind?: number;
  tcp?: boolean;
}

async function ask(path: string, name: string, { kind = type.A, tcp = false, ...options }: Ask = {}) {
  const fd = thread.enter(path, () => (tcp ? beginTcp(nameServer) : connectUdp(nameServer)));
  try {
    const message = question(name, kind, options);
    const length = Buffer.of(message.length >> 8, message.length & 255);
    await awaited(() => (send(fd, tcp ? Buffer.concat([length, message]) : message) > 0 ? true : undefined));
    const buffer = Buffer.alloc(65_537);
    let count = 0;
    let sentMs = performance.now();
    return await awaited(() => {
      // datagrams get lost where a queue is full
      if (!tcp && performance.now() - sentMs > 1000) {
        send(fd, message);
        sentMs = performance.now();
      }
      count += Math.max(0, receive(fd, buffer.subarray(count)));
      if (count === 0 || (tcp && count < 2 + buffer.readUInt16BE(0))) return undefined;
      return readReply(buffer.subarray(tcp ? 2 : 0, count));
    });
  } finally {
    closeSync(fd);
  }
}

/** An outside server in the container's own namespace, that answers one question with `answers` addresses. */
async function answerOnce(path: string, answers: number): Promise<void> {
  const fd = thread.enter(path, () => bindUdp({ address: outside, port: 53 }));
  const batch = new UdpBatch(1, 512);
  try {
    await awaited(() => (batch.receive(fd) > 0 ? true : undefined));
    const query = batch.datagram(0);
    const record = Buffer.from("c00c000100010000003c000409090909", "hex");
    const reply = Buffer.concat([query, ...Array<Buffer>(answers).fill(record)]);
    reply.writeUInt16BE(0x8180, 2);
    reply.writeUInt16BE(answers, 6);
    sendTo(fd, reply, batch.sender(0));
  } finally {
    closeSync(fd);
  }
}

test("names, addresses and the host are answered over UDP and TCP", async () => {
  for (const tcp of [false, true]) {
    expect(await ask(one, "two", { tcp })).toMatchObject({ rcode: 0, answers: ["10.0.0.3"] });
    expect(await ask(two, "ONE.net", { tcp })).toMatchObject({ rcode: 0, answers: ["10.0.0.2"] });
    expect(await ask(two, "host.docker.internal", { tcp })).toMatchObject({ answers: ["10.0.0.1"] });
    expect(await ask(two, "one", { tcp, kind: type.AAAA })).toMatchObject({ rcode: 0, answers: [] });
    const reverse = await ask(one, "3.0.0.10.in-addr.arpa", { tcp, kind: type.PTR });
    expect(reverse.answers).toEqual(["two.net"]);
  }
});

test("other names are asked of the container's own servers, in its own namespace", async () => {
  const served = answerOnce(one, 3);
  expect(await ask(one, "example.org")).toMatchObject({
    id: 0x1234,
    rcode: 0,
    answers: Array(3).fill("9.9.9.9"),
  });
  await served;
});

test("with no server there the failure comes at once, over UDP and TCP", async () => {
  expect(await ask(one, "example.org")).toMatchObject({ rcode: 2, answers: [] });
  expect(await ask(one, "example.org", { tcp: true })).toMatchObject({ rcode: 2, answers: [] });
});

test("port 53 of every address is the container's own", async () => {
  const own = thread.enter(one, () => bindUdp({ address: "0.0.0.0", port: 53 }));
  try {
    const client = thread.enter(one, () => connectUdp({ address: "127.0.0.1", port: 53 }));
    send(client, Buffer.from("hello"));
    const batch = new UdpBatch(1, 512);
    await awaited(() => (batch.receive(own) > 0 ? true : undefined));
    expect(batch.datagram(0).toString()).toBe("hello");
    closeSync(client);
    expect(await ask(one, "two")).toMatchObject({ answers: ["10.0.0.3"] });
  } finally {
    closeSync(own);
  }
});

test("a container that floods the resolver with questions and rubbish keeps nobody else from answers", async () => {
  const flood = thread.enter(two, () => connectUdp(nameServer));
  try {
    const messages = [
      question("one", type.A),
      question("example.org", type.A),
      Buffer.from("rubbish, at length"),
    ];
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 1500; index++) send(flood, messages[index % 3] ?? Buffer.alloc(0));
      expect(await ask(one, "two")).toMatchObject({ answers: ["10.0.0.3"] });
    }
    expect(await ask(two, "one")).toMatchObject({ answers: ["10.0.0.2"] });
  } finally {
    closeSync(flood);
  }
}, 120_000);

test("many containers that flood a silent server leave another's question room", async () => {
  const flooding = namespaces.slice(2);
  for (const name of floods) await attach(name, join(folder, name));
  // they listen, and never answer
  const silent = flooding.map((path) => thread.enter(path, () => bindUdp({ address: outside, port: 53 })));
  const sockets = flooding.map((path) => thread.enter(path, () => connectUdp(nameServer)));
  const served = answerOnce(one, 1);
  const buffer = Buffer.alloc(512);
  const refused = new Set<number>();
  try {
    // until all are told that there is no room for more
    await awaited(() => {
      for (const socket of sockets) {
        for (let index = 0; index < 40; index++) send(socket, question(`q${index}.org`, type.A));
        if (receive(socket, buffer) > 0) refused.add(socket);
      }
      return refused.size === sockets.length ? true : undefined;
    });
    const asked = ask(one, "example.org");
    expect(await asked).toMatchObject({ rcode: 0, answers: ["9.9.9.9"] });
    await served;
  } finally {
    for (const fd of [...silent, ...sockets]) closeSync(fd);
    for (const name of floods) resolver.detach(name);
  }
}, 120_000);

test("connections that say nothing or too much do not stay, and do not hinder others", async () => {
  const idle = Array.from({ length: 100 }, () => thread.enter(one, () => beginTcp(nameServer)));
  try {
    expect(await ask(one, "two", { tcp: true })).toMatchObject({ answers: ["10.0.0.3"] });
    const last = idle.at(-1) ?? -1;
    await awaited(() => (send(last, Buffer.alloc(60_000, 0xff)) === -2 ? true : undefined));
  } finally {
    for (const fd of idle) closeSync(fd);
  }
});

test("a resolver started anew answers in the same namespaces, and a detached one lets go of them", async () => {
  await resolver.end();
  const before = readdirSync("/proc/self/fd").length;
  resolver = open();
  await attach("one", one);
  await attach("two", two);
  expect(await ask(one, "two")).toMatchObject({ answers: ["10.0.0.3"] });
  expect(await ask(two, "one", { tcp: true })).toMatchObject({ answers: ["10.0.0.2"] });
  await resolver.end();
  await awaited(() => (readdirSync("/proc/self/fd").length <= before ? true : undefined));
});
