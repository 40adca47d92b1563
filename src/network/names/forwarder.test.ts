import { expect, test } from "bun:test";
import { parseQuery, type } from "../../lib/dns/query.ts";
import { question, readReply } from "../../lib/dns/testing.ts";
import { type Ask, type AskListener, Forwarder, Forwards } from "./forwarder.ts";
import type { Upstream } from "./protocol.ts";

const server = (address: string): Upstream => ({ address, from: "host" });

interface Sent {
  address: string;
  message: Buffer;
  listener: AskListener;
  repeats: number;
  closed: boolean;
}

/** Forwards whose questions are written down instead of sent; servers named `unreachable` cannot be asked. */
function setUp() {
  const sent: Sent[] = [];
  const ask: Ask = ({ address }, _from, message, listener) => {
    if (address === "unreachable") throw new Error("ENETUNREACH");
    const item: Sent = { address, message, listener, repeats: 0, closed: false };
    sent.push(item);
    return {
      repeat: () => {
        item.repeats++;
      },
      close: () => {
        item.closed = true;
      },
    };
  };
  const forwarder = new Forwarder(ask);
  const forwards = new Forwards(forwarder, "/netns");
  const replies: Buffer[] = [];
  const start = (addresses: string[], nowMs = 0, into = forwards): void => {
    const bytes = question("example.org", type.A);
    const query = parseQuery(bytes);
    if (typeof query === "string") throw new Error(query);
    const request = {
      query,
      bytes,
      transport: "udp" as const,
      reply: (reply: Buffer) => replies.push(reply),
    };
    into.start(request, addresses.map(server), nowMs);
  };
  const at = (index: number): Sent => {
    const item = sent[index];
    if (!item) throw new Error(`nothing sent at ${index}`);
    return item;
  };
  return {
    sent,
    at,
    forwarder,
    forwards,
    start,
    replies,
    codes: () => replies.map((r) => readReply(r).rcode),
  };
}

function answerTo({ message }: Sent, code = 0): Buffer {
  const reply = Buffer.from(message);
  reply.writeUInt16BE(0x8180 | code, 2);
  return reply;
}

test("an answer goes back under the client's id; the server saw another", () => {
  const { at, start, replies, forwards } = setUp();
  const ids = new Set<number>();
  for (let round = 0; round < 8; round++) {
    start(["a"]);
    ids.add(at(round).message.readUInt16BE(0));
    at(round).listener.message(answerTo(at(round)));
  }
  expect(ids.size).toBeGreaterThan(1);
  expect(new Set(replies.map((reply) => reply.readUInt16BE(0)))).toEqual(new Set([0x1234]));
  expect(at(0).closed).toBeTrue();
  expect(forwards.size).toBe(0);
});

test("what does not answer the question is passed over, and the real answer still counts", () => {
  const { at, start, replies } = setUp();
  start(["a"]);
  const forged = answerTo(at(0));
  forged.writeUInt16BE(at(0).message.readUInt16BE(0) ^ 1, 0);
  at(0).listener.message(forged);
  at(0).listener.message(Buffer.alloc(3));
  expect(replies).toEqual([]);
  at(0).listener.message(answerTo(at(0)));
  expect(replies.length).toBe(1);
});

test("a server that refuses, fails or cannot be reached makes room for the next", () => {
  const { at, start, codes, sent } = setUp();
  start(["refuses", "fails", "unreachable", "last"]);
  at(0).listener.failed();
  at(1).listener.message(answerTo(at(1), 2));
  expect(sent.map(({ address }) => address)).toEqual(["refuses", "fails", "last"]);
  at(2).listener.message(answerTo(at(2), 3));
  expect(codes()).toEqual([3]);
});

test("when all have failed the client is told at once", () => {
  const { at, start, codes } = setUp();
  start(["a", "b"]);
  at(0).listener.failed();
  at(1).listener.message(answerTo(at(1), 5));
  start(["unreachable"]);
  start([]);
  expect(codes()).toEqual([2, 2, 2]);
});

test("a slow server is joined by the next, and whoever answers first counts", () => {
  const { at, start, forwards, codes, sent } = setUp();
  start(["slow", "quick"]);
  forwards.tick(900);
  expect(sent.length).toBe(1);
  forwards.tick(1000);
  expect(sent.length).toBe(2);
  at(1).listener.message(answerTo(at(1)));
  expect(codes()).toEqual([0]);
  expect(sent.every(({ closed }) => closed)).toBeTrue();
});

test("a lone slow server is asked again, and given up before the client gives up", () => {
  const { at, start, forwards, codes } = setUp();
  start(["slow"]);
  for (let nowMs = 0; nowMs < 4000; nowMs += 50) forwards.tick(nowMs);
  expect(at(0).repeats).toBeGreaterThan(1);
  expect(codes()).toEqual([]);
  forwards.tick(4000);
  expect(codes()).toEqual([2]);
  expect(forwards.size).toBe(0);
});

test("a server silent three times is taken as gone: questions fail at once, and one a second looks whether it is back", () => {
  const { at, start, forwards, codes, sent } = setUp();
  let nowMs = 0;
  for (let round = 0; round < 3; round++) {
    start(["gone"], nowMs);
    nowMs += 4000;
    forwards.tick(nowMs);
  }
  expect(codes()).toEqual([2, 2, 2]);
  start(["gone"], nowMs + 10);
  expect(codes().length).toBe(4);
  expect(sent.length).toBe(3);
  start(["gone"], nowMs + 1000);
  start(["gone"], nowMs + 1001);
  expect(sent.length).toBe(4);
  at(3).listener.message(answerTo(at(3)));
  start(["gone"], nowMs + 1002);
  expect(sent.length).toBe(5);
});

test("one container's flood leaves room for another's question", () => {
  const { start, forwarder, forwards, codes, sent } = setUp();
  for (let index = 0; index < 5000; index++) start(["a"]);
  expect(sent.length).toBe(256);
  expect(codes().length).toBe(5000 - 256);
  const other = new Forwards(forwarder, "/other");
  start(["a"], 0, other);
  expect(sent.length).toBe(257);
  forwards.end();
  expect(forwarder.total).toBe(1);
  expect(sent.slice(0, 256).every(({ closed }) => closed)).toBeTrue();
});

test("many containers' floods leave room for others, each its share", () => {
  const { start, forwarder, sent, replies } = setUp();
  const floods = Array.from({ length: 20 }, (_, index) => new Forwards(forwarder, `/flood${index}`));
  for (let round = 0; round < 300; round++) for (const flood of floods) start(["a"], 0, flood);
  expect(forwarder.total).toBe(2048);
  const refused = replies.length;
  const quiet = Array.from({ length: 4 }, (_, index) => new Forwards(forwarder, `/quiet${index}`));
  for (const other of quiet) for (let index = 0; index < 10; index++) start(["a"], 0, other);
  expect(quiet.map(({ size }) => size)).toEqual([10, 10, 10, 10]);
  // those who made room were told so
  expect(replies.length).toBe(refused + 40);
  expect(forwarder.total).toBe(2048);
  expect(sent.filter(({ closed }) => !closed).length).toBe(2048);
  const sizes = floods.map(({ size }) => size);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(4);
  for (const one of [...floods, ...quiet]) one.end();
  expect(forwarder.total).toBe(0);
});

test("a question that nobody can be asked costs no other container its place", () => {
  const { start, forwarder } = setUp();
  const floods = Array.from({ length: 8 }, (_, index) => new Forwards(forwarder, `/flood${index}`));
  for (const flood of floods) for (let index = 0; index < 256; index++) start(["a"], 0, flood);
  expect(forwarder.total).toBe(2048);
  start([], 0, new Forwards(forwarder, "/alone"));
  expect(forwarder.total).toBe(2048);
});

test("who comes late to a flood of a few gets as much as they", () => {
  const { start, forwarder } = setUp();
  const floods = Array.from({ length: 8 }, (_, index) => new Forwards(forwarder, `/flood${index}`));
  for (const flood of floods) for (let index = 0; index < 400; index++) start(["a"], 0, flood);
  expect(forwarder.total).toBe(2048);
  const late = new Forwards(forwarder, "/late");
  for (let index = 0; index < 400; index++) start(["a"], 0, late);
  expect(late.size).toBe(227);
  expect(forwarder.total).toBe(2048);
});
