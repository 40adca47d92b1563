import { afterEach, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { Repository } from "../../distribution/contract.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { mediaTypes } from "../../types/oci.ts";
import { pullFixture } from "../testing/pull-fixture.ts";

const open: Awaited<ReturnType<typeof pullFixture>>[] = [];
async function fixture() {
  const made = await pullFixture();
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** A place that has one layer, gzipped, and counts how often it is read; not before `gate` resolves. */
function place(text: string, gate: Promise<void> = Promise.resolve()) {
  const tar = Buffer.from(text.padEnd(1024));
  const packed = gzipSync(tar);
  const digest = sha256(packed);
  const made = { reads: 0, diffId: sha256(tar), digest, size: packed.length };
  async function* bytes() {
    yield packed.subarray(0, 1);
    yield packed.subarray(1);
  }
  const repository: Partial<Repository> = {
    endpoint: "cache",
    blob: async () => {
      made.reads++;
      await gate;
      return { start: 0, bytes: bytes() };
    },
    blobSize: async (asked) => (asked === digest ? packed.length : undefined),
  };
  return Object.assign(made, { repository: repository as Repository });
}

/** Brings the layer of a place under a media type. */
function bring(
  { images }: Awaited<ReturnType<typeof fixture>>,
  { diffId, digest, size, repository }: ReturnType<typeof place>,
  mediaType: string,
): Promise<void> {
  const signal = new AbortController().signal;
  const blob = { mediaType, digest, size };
  return images.bringLayer({ diffId, reference: undefined, signal, blob, sources: [repository] });
}

test("a layer goes on under the type that its content shows, whatever type it came under", async () => {
  for (const [told, kept] of [
    [mediaTypes.ociLayerZstd, mediaTypes.ociLayerGzip],
    ["application/vnd.docker.image.rootfs.diff.tar", mediaTypes.dockerLayerGzip],
    [mediaTypes.ociLayerGzip, mediaTypes.ociLayerGzip],
  ] as const) {
    const made = await fixture();
    const from = place("one");
    await bring(made, from, told);
    const { diffId, digest, size, repository } = from;
    const signal = new AbortController().signal;
    const sent = await made.images.sendLayer({ diffId, reference: undefined, signal, target: repository });
    expect(sent).toEqual({ mediaType: kept, digest, size });
  }
});

test("what is called no layer is not fetched", async () => {
  const from = place("one");
  await expect(bring(await fixture(), from, "text/html")).rejects.toThrow("unsupported media type text/html");
  expect(from.reads).toBe(0);
});

test("a layer that came from elsewhere while its download waited for a place is not fetched", async () => {
  const made = await fixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = ["one", "two", "three"].map((text) => place(text, promise));
  const working = busy.map((each) => bring(made, each, mediaTypes.ociLayerGzip));
  const late = place("four");
  working.push(bring(made, late, mediaTypes.ociLayerGzip));
  while (busy.some(({ reads }) => reads === 0)) await Bun.sleep(1);
  made.layers.set(late.diffId, 1024);
  resolve();
  await Promise.all(working);
  expect(late.reads).toBe(0);
});
