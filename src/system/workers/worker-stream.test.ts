import { expect, test } from "bun:test";
import { sendToWorker } from "./worker-stream.ts";

async function* source(pieces: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < pieces; at++) yield new Uint8Array(size).fill(at);
}

test("a shared buffer is not written again before the worker is done with it", async () => {
  const seen: number[] = [];
  let open = 0;
  let openMax = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const outcome = await sendToWorker(
    {
      memory: "shared",
      feed: async (bytes) => {
        openMax = Math.max(openMax, ++open);
        await Bun.sleep(1);
        seen.push(bytes[0] ?? -1, bytes[bytes.length - 1] ?? -1);
        open--;
      },
      feedEnd: async () => resolve("done"),
    },
    promise,
    source(20, 512 * 1024),
    {},
  );
  expect(outcome).toBe("done");
  expect(openMax).toBeLessThanOrEqual(3);
  expect(seen).toEqual(Array.from({ length: 20 }, (_none, at) => [at, at]).flat());
});

test("a session that fails stops the source, and its error is the outcome", async () => {
  let ended = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(1024);
    } finally {
      ended = true;
    }
  }
  const failing = Bun.sleep(5).then(() => Promise.reject(new Error("disk full")));
  const sent = sendToWorker(
    { memory: "given", feed: () => Bun.sleep(1), feedEnd: async () => undefined },
    failing,
    endless(),
    {},
  );
  await expect(sent).rejects.toThrow("disk full");
  await Bun.sleep(1);
  expect(ended).toBe(true);
});

test("a piece that was sent is not kept: a long stream costs no memory", async () => {
  const gone = { pieces: 0 };
  const registry = new FinalizationRegistry(() => gone.pieces++);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 200; at++) {
      const piece = new Uint8Array(64 * 1024);
      registry.register(piece, undefined);
      yield piece;
      if (at % 50 === 49) Bun.gc(true);
    }
  }
  const never = Promise.withResolvers<void>();
  const sent = sendToWorker(
    {
      memory: "shared",
      feed: () => Promise.resolve(),
      feedEnd: async () => {
        Bun.gc(true);
        await Bun.sleep(0);
        never.resolve();
      },
    },
    never.promise,
    pieces(),
    {},
  );
  await sent;
  expect(gone.pieces).toBeGreaterThan(100);
});
