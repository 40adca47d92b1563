import { expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import { within } from "./web.ts";

const silent = (): EngineError => new EngineError("unavailable", "silence");

async function read(body: ReadableStream<Uint8Array>, bytesMax: number, silenceMs = 10_000): Promise<number> {
  let total = 0;
  for await (const piece of within(body, "http://x/", { silenceMs, bytesMax }, silent)) total += piece.length;
  return total;
}

const endless = (): ReadableStream<Uint8Array> =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) });

test("a file within its limit comes whole", async () => {
  const body = new Response("12345").body;
  if (body === null) throw new Error("no body");
  expect(await read(body, 5)).toBe(5);
});

test("a file without end stops at the limit", async () => {
  expect(read(endless(), 50_000)).rejects.toThrow("http://x/ is larger than the 50000 bytes");
});

test("a server that says nothing more is given up", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  });
  expect(read(body, 100, 20)).rejects.toThrow("silence");
});
