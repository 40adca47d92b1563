import { expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { bodyOf } from "./body.ts";

const request = (): { stream: PassThrough; body: AsyncIterable<Uint8Array> } => {
  const stream = new PassThrough({ highWaterMark: 1024 });
  return { stream, body: bodyOf(stream as unknown as IncomingMessage) };
};

test("a body is read whole, in order", async () => {
  const { stream, body } = request();
  void (async () => {
    for (let at = 0; at < 100; at++) {
      stream.write(Buffer.alloc(500, at));
      if (at % 10 === 0) await Bun.sleep(0);
    }
    stream.end();
  })();
  const all = Buffer.concat(await Array.fromAsync(body));
  expect(all.length).toBe(50_000);
  expect([all[0], all[499], all[500], all[49_999]]).toEqual([0, 0, 1, 99]);
});

test("a client is held back while nobody reads", async () => {
  const { stream, body } = request();
  const reader = body[Symbol.asyncIterator]();
  stream.write(Buffer.alloc(10));
  await reader.next();
  let accepted = 0;
  while (stream.write(Buffer.alloc(64 * 1024)) && accepted < 1000) {
    accepted++;
    await Bun.sleep(0);
  }
  expect(accepted).toBeLessThan(100);
});

test("a client that vanishes is an error, and not the end", async () => {
  const { stream, body } = request();
  const reader = body[Symbol.asyncIterator]();
  stream.write("half");
  expect((await reader.next()).value?.toString()).toBe("half");
  stream.destroy();
  await expect(reader.next()).rejects.toThrow("the client left");
});

test("what an early leaver did not read is discarded", async () => {
  const { stream, body } = request();
  const reader = body[Symbol.asyncIterator]();
  stream.write("first");
  await reader.next();
  await reader.return?.();
  const ended = new Promise((resolve) => stream.once("end", resolve));
  stream.write(Buffer.alloc(3_000_000));
  stream.end();
  await ended;
});
