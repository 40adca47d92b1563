import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentStore } from "./contract.ts";
import { openContent } from "./store.ts";

let root: string;
let store: ContentStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-content-"));
  store = openContent(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function* bytesOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
const digest = `sha256:${new Bun.CryptoHasher("sha256").update("hello world").digest("hex")}`;
const other = `sha256:${"0".repeat(64)}`;
const leftOver = (): string[] => [
  ...readdirSync(join(root, "content/tmp")),
  ...readdirSync(join(root, "content/sha256")),
];

test("what is ingested is told, listed and read back, whole and in part", async () => {
  const info = await store.ingest(bytesOf("hello ", "world"), { digest, size: 11, limit: 11 });
  expect(info).toEqual({ digest, size: 11 });
  expect(await store.stat(digest)).toEqual(info);
  expect(await Array.fromAsync(store.list())).toEqual([info]);
  expect(Buffer.from(await store.read(digest, 11)).toString()).toBe("hello world");
  expect(await new Response(store.open(digest)).text()).toBe("hello world");
  expect(await new Response(store.open(digest, { start: 6 })).text()).toBe("world");
  expect(await new Response(store.open(digest, { start: 2, end: 4 })).text()).toBe("ll");
  expect(await new Response(store.open(digest, { start: 4, end: 4 })).text()).toBe("");
});

test("ingesting again and removing what is gone are successes", async () => {
  await store.ingest(bytesOf("hello world"));
  await store.ingest(bytesOf("hello world"));
  await store.remove(digest);
  await store.remove(digest);
  expect(await store.stat(digest)).toBeUndefined();
});

test("wrong digests and sizes, too many bytes and failing sources leave nothing", async () => {
  await expect(store.ingest(bytesOf("hello"), { digest })).rejects.toThrow(/the blob is sha256:/);
  await expect(store.ingest(bytesOf("hello"), { size: 4 })).rejects.toThrow(/over 4 bytes/);
  await expect(store.ingest(bytesOf("hello"), { size: 6 })).rejects.toThrow(/5 bytes, not 6/);
  await expect(store.ingest(bytesOf("hello"), { limit: 4 })).rejects.toThrow(/over 4 bytes/);
  await expect(
    store.ingest(bytesOf("hello"), { signal: AbortSignal.abort(new Error("stop")) }),
  ).rejects.toThrow("stop");
  expect(leftOver()).toEqual([]);
});

test("a missing blob is not found, a malformed digest invalid", async () => {
  await expect(new Response(store.open(other)).text()).rejects.toThrow(/does not exist/);
  await expect(store.read(other, 10)).rejects.toThrow(/does not exist/);
  for (const bad of ["sha256:../../etc/passwd", "sha512:00", "", `sha256:${"A".repeat(64)}`])
    await expect(store.stat(bad)).rejects.toThrow(/is not a sha256 digest/);
});

test("reading whole verifies, and is bounded", async () => {
  await store.ingest(bytesOf("hello world"));
  await expect(store.read(digest, 10)).rejects.toThrow(/over the limit/);
  truncateSync(join(root, "content/sha256", digest.slice(7)), 5);
  await expect(store.read(digest, 100)).rejects.toThrow(/is damaged/);
});

test("sweep deletes what an earlier process left, and spares what is being written", async () => {
  writeFileSync(join(root, "content/tmp/stray"), "");
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("hello ");
    await gate;
    yield Buffer.from("world");
  }
  const writing = store.ingest(slow());
  while (readdirSync(join(root, "content/tmp")).length < 2) await Bun.sleep(5);
  await store.sweep();
  expect(readdirSync(join(root, "content/tmp"))).toHaveLength(1);
  go();
  expect((await writing).digest).toBe(digest);
});
