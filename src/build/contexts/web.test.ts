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

test("what is told of a file has no password of its address in it", async () => {
  const limits = { silenceMs: 10_000, bytesMax: 1000 };
  const read = Array.fromAsync(within(endless(), "http://user:p@ss@x/y", limits, silent));
  await expect(read).rejects.toThrow("http://xxxxx@x/y is larger than");
});

test("a file stops where others have filled the disk meanwhile", async () => {
  const mib = 2 ** 20;
  const piece = new Uint8Array(mib);
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(piece) });
  const rooms = [10 * mib, 0];
  const limits = { silenceMs: 10_000, bytesMax: 2 ** 40, room: async () => rooms.shift() ?? 0 };
  let total = 0;
  const all = async (): Promise<void> => {
    for await (const { length } of within(body, "http://x/", limits, silent)) total += length;
  };
  await expect(all()).rejects.toThrow(`http://x/ is larger than the ${128 * mib} bytes`);
  expect(total).toBe(127 * mib);
});

test("a server that says nothing more is given up", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  });
  expect(read(body, 100, 20)).rejects.toThrow("silence");
});
