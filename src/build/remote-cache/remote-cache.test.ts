import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../../lib/image/digest.ts";
import { utf8 } from "../../lib/tar/entry.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import type { Descriptor } from "../../types/oci.ts";
import { cacheConfig, parseCacheConfig, parseRecords, type RemoteLayer } from "./cache-config.ts";
import { LayoutArchive } from "./layout-archive.ts";
import { LayoutFolder } from "./layout-folder.ts";
import { readCache } from "./read.ts";

const digest = (text: string): string => sha256(text);
const blob = (text: string): Descriptor => ({
  mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  digest: digest(`blob ${text}`),
  size: 100,
});
const step = (text: string): RemoteLayer => ({
  key: digest(`key ${text}`),
  layer: digest(`layer ${text}`),
  created: "2026-01-02T03:04:05Z",
  blob: blob(text),
});
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const folder = mkdtempSync(join(tmpdir(), "berth-remote-cache-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what is written of a cache is read again, digests of files too", () => {
  const steps = [step("a"), step("b"), { ...step("a"), key: digest("another key") }];
  const digests = new Map([[digest("files"), digest("what they are")]]);
  const text = new TextEncoder().encode(cacheConfig({ steps, digests }));
  const blobs = new Map([blob("a"), blob("b")].map((each) => [each.digest, each]));
  const read = parseCacheConfig(text, blobs);
  const byKey = (list: readonly RemoteLayer[]) => new Map(list.map((each) => [each.key, each]));
  expect(byKey(read.steps)).toEqual(byKey(steps));
  expect(read.digests).toEqual(digests);
  expect(JSON.parse(new TextDecoder().decode(text)).layers.length).toBe(2);
});

test("a cache can name no layer that its manifest has not, and none without saying what it unpacks to", () => {
  const { key } = step("a");
  const layers = [
    { blob: blob("elsewhere").digest, annotations: { diffID: digest("x") } },
    { blob: blob("a").digest },
    { blob: blob("a").digest, annotations: { diffID: "sha256:short" } },
  ];
  const records = layers.map((_, layer) => ({ digest: key, layers: [{ layer }] }));
  expect(
    parseCacheConfig(bytes({ layers, records }), new Map([[blob("a").digest, blob("a")]])).steps,
  ).toEqual([]);
});

test("a cache can name no layer that its manifest has as something else", () => {
  const text = new TextEncoder().encode(cacheConfig({ steps: [step("a"), step("b")], digests: new Map() }));
  const blobs = [blob("a"), { ...blob("b"), mediaType: "text/html" }];
  const { steps } = parseCacheConfig(text, new Map(blobs.map((each) => [each.digest, each])));
  expect(steps).toEqual([step("a")]);
});

test("a malformed cache is refused or passed over, and never more", () => {
  const at = () => ({ layer: digest("l"), blob: blob("a") });
  for (const wrong of [{ layers: 1 }, { records: {} }, { records: [1] }, { layers: ["x"] }, []])
    expect(() => parseCacheConfig(bytes(wrong), new Map())).toThrow("the cache is malformed");
  expect(() => parseCacheConfig(new Uint8Array([0xff, 0xfe]), new Map())).toThrow("no JSON");
  expect(() => parseRecords(Array(20_001).fill({}), at)).toThrow("over 20000");
  const odd = [{}, { digest: "x" }, { digest: digest("k") }, { digest: digest("k"), layers: [null] }];
  expect(parseRecords([...odd, { digest: digest("k"), layers: [{ layer: "0" }] }], at).steps).toEqual([]);
  const [read] = parseRecords([{ digest: digest("k"), layers: [{ createdAt: "yesterday" }] }], at).steps;
  expect(read?.created).toBe("1970-01-01T00:00:00Z");
});

test("a layout is read by its tag, and never outside of its folder", async () => {
  const root = join(folder, "layout");
  mkdirSync(join(root, "blobs/sha256"), { recursive: true });
  const put = (content: Uint8Array): string => {
    writeFileSync(join(root, "blobs/sha256", sha256(content).slice(7)), content);
    return sha256(content);
  };
  const config = bytes(JSON.parse(cacheConfig({ steps: [step("a")], digests: new Map() })));
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = bytes({
    schemaVersion: 2,
    mediaType: type,
    config: {
      mediaType: "application/vnd.buildkit.cacheconfig.v0",
      digest: put(config),
      size: config.length,
    },
    layers: [blob("a")],
  });
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const named = { mediaType: type, digest: put(manifest), size: manifest.length, annotations };
  writeFileSync(join(root, "index.json"), bytes({ manifests: [named] }));
  const store = new LayoutFolder(root);
  const place = { reference: undefined, tag: "latest", repositories: [store] };
  const { steps } = await readCache(place, AbortSignal.timeout(5000));
  expect(steps).toEqual([step("a")]);
  await expect(store.manifest("other")).rejects.toThrow("no digest found for tag other");

  const secret = join(folder, "secret");
  writeFileSync(secret, "secret");
  const outside = digest("outside");
  symlinkSync(secret, join(root, "blobs/sha256", outside.slice(7)));
  expect(await store.blobSize(outside)).toBeUndefined();
  await expect(store.blob(outside, 0)).rejects.toThrow("not found");
  expect(await store.blobSize(`sha256:${"../".repeat(21)}x`)).toBeUndefined();
  mkdirSync(join(root, "blobs/sha256", digest("folder").slice(7)));
  expect(await store.blobSize(digest("folder"))).toBeUndefined();
});

test("a layout that is sent leaves out what the folder has, and keeps what else it names", async () => {
  const root = join(folder, "before");
  mkdirSync(join(root, "blobs/sha256"), { recursive: true });
  const have = bytes("have");
  writeFileSync(join(root, "blobs/sha256", sha256(have).slice(7)), have);
  const other = { digest: digest("o"), annotations: { "org.opencontainers.image.ref.name": "other" } };
  writeFileSync(join(root, "index.json"), bytes({ manifests: [other] }));
  const sent: Uint8Array[] = [];
  const sink = {
    write: async (pieces: AsyncIterable<Uint8Array>) => {
      for await (const piece of pieces) sent.push(piece.slice());
    },
  };
  const archive = new LayoutArchive(sink, new LayoutFolder(root), folder);
  expect(await archive.blobSize(sha256(have))).toBe(have.length);
  const fresh = bytes("fresh");
  async function* source(): AsyncGenerator<Uint8Array> {
    yield fresh;
  }
  await archive.upload({ digest: () => sha256(fresh), source });
  await archive.putManifest("latest", "type", new Uint8Array(bytes({ schemaVersion: 2 })));
  const files = new Map<string, string>();
  const names: string[] = [];
  const reader = new TarReader({
    entry: (entry) => void names.push(utf8(entry.name)),
    data: (piece) => {
      const name = names.at(-1) ?? "";
      files.set(name, (files.get(name) ?? "") + Buffer.from(piece).toString());
    },
    end: () => undefined,
  });
  for (const piece of sent) reader.push(piece);
  expect(names.slice(0, 3)).toEqual(["blobs/", "blobs/sha256/", `blobs/sha256/${sha256(fresh).slice(7)}`]);
  expect(names.at(-1)).toBe("index.json");
  expect(JSON.parse(files.get("index.json") ?? "").manifests.length).toBe(2);
});
