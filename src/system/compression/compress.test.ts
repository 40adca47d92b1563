import { expect, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { LayerCompression } from "../../lib/compression/layer-compression.ts";
import { ZstdFrames } from "../../lib/compression/zstd-frames.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { type Fill, type PackedPart, pack } from "./compress.ts";

const pieceBytes = 1024 * 1024;

function fillFrom(bytes: Buffer): Fill {
  let at = 0;
  return (memory) => {
    const length = bytes.copy(memory, 0, at);
    at += length;
    return length;
  };
}

const gzip: LayerCompression = { type: "gzip", level: 2 };

async function packed(bytes: Buffer, how = gzip): Promise<Buffer> {
  const made: Buffer[] = [];
  let told: PackedPart | undefined;
  for await (const part of pack(fillFrom(bytes), how)) {
    made.push(Buffer.from(part.bytes));
    told = part;
  }
  const all = Buffer.concat(made);
  expect(told?.taken).toBe(bytes.length);
  expect(told?.whole).toEqual({ digest: sha256(all), size: all.length });
  return all;
}

/** Looks random, and is the same on every machine. */
const arithmetic = (length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
};

const noise = (length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

test("what is compressed is the same again, text and noise", async () => {
  const text = Buffer.from("a line of text\n".repeat(200_000));
  const random = noise(48 * 65_536);
  const all = Buffer.concat([text, random, text]);
  const one = await packed(all);
  expect(gunzipSync(one).equals(all)).toBe(true);
  expect(one.length).toBeLessThan(random.length + text.length / 10);
  expect((await packed(all)).equals(one)).toBe(true);
});

test("what is stored comes out as the blob it was by older engines", async () => {
  // registries have it by that digest; what is deflated depends on the machine's zlib
  const blob = await packed(arithmetic(3_000_000));
  expect(sha256(blob)).toBe("sha256:c637053088e7f3377d7a63c1e928fb3936098bbb5a0b1b9e717d06213e089e6e");
});

test("an end at a piece's end and nothing at all are gzip streams too", async () => {
  for (const length of [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1]) {
    const bytes = noise(length);
    expect(gunzipSync(await packed(bytes)).equals(bytes)).toBe(true);
  }
});

test("streams side by side share their memory and come out as alone", async () => {
  const texts = Array.from({ length: 12 }, (_none, at) => Buffer.from(`line ${at}\n`.repeat(500_000)));
  const made = await Promise.all(texts.map((text) => packed(text)));
  expect(made.map((each, at) => gunzipSync(each).equals(texts[at] as Buffer))).toEqual(texts.map(() => true));
});

test("a source that fails fails the stream, and one that is left leaves its memory", async () => {
  const failing = pack(() => {
    throw new Error("disk on fire");
  }, gzip);
  await expect(failing.next()).rejects.toThrow("disk on fire");
  for (let times = 0; times < 10; times++)
    for await (const part of pack((memory) => memory.fill(times).length, gzip)) if (part.taken > 0) break;
  const text = Buffer.from("again\n".repeat(1_000_000));
  expect(gunzipSync(await packed(text)).equals(text)).toBe(true);
});

const unpacked = (bytes: Buffer, { type }: LayerCompression): Buffer => {
  if (type === "zstd") return zstdDecompressSync(bytes);
  return type === "gzip" ? gunzipSync(bytes) : bytes;
};

test("each way of packing comes out as it went in, and the same beside others as alone", async () => {
  const source = Buffer.concat([Buffer.from("some text\n".repeat(300_000)), noise(1_500_000)]);
  const ways: LayerCompression[] = [
    { type: "zstd", level: 3 },
    { type: "zstd", level: 1 },
    { type: "gzip", level: 9 },
    { type: "gzip", level: 0 },
    { type: "uncompressed", level: 0 },
  ];
  const alone: Buffer[] = [];
  for (const how of ways) alone.push(await packed(source, how));
  const beside = await Promise.all([...ways, ...ways].map((how) => packed(source, how)));
  for (const [at, how] of [...ways, ...ways].entries()) {
    expect(unpacked(beside[at] as Buffer, how).equals(source)).toBe(true);
    expect(beside[at]?.equals(alone[at % ways.length] as Buffer)).toBe(true);
  }
});

test("zstd is whole frames, also where a source ends at a piece's end or has nothing", async () => {
  for (const length of [0, 1, pieceBytes, pieceBytes + 1]) {
    const bytes = noise(length);
    const made = await packed(bytes, { type: "zstd", level: 3 });
    const frames = new ZstdFrames();
    frames.push(made);
    expect([frames.complete, frames.whole]).toEqual([true, Math.max(1, Math.ceil(length / pieceBytes))]);
    expect(zstdDecompressSync(made).equals(bytes)).toBe(true);
  }
});
