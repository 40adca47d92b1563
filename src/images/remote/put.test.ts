import { afterEach, expect, test } from "bun:test";
import { sha256 } from "../../lib/image/digest.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { mediaTypes } from "../../types/oci.ts";
import { noise } from "../testing/fake-registry.ts";
import { pullFixture } from "../testing/pull-fixture.ts";

const open: Awaited<ReturnType<typeof pullFixture>>[] = [];
afterEach(async () => {
  for (const fixture of open.splice(0)) await fixture.close();
});

async function fixture() {
  const made = await pullFixture();
  open.push(made);
  const { registry, images } = made;
  const { manifest, digest } = registry.addImage("v1", [noise(300)]);
  const put = (name: string, more: { from?: string; bytes?: Uint8Array<ArrayBuffer> } = {}) =>
    images.putRemoteManifest({
      reference: parseReference(`${registry.host}/${name}`),
      mediaType: mediaTypes.dockerManifest,
      bytes: new Uint8Array(Buffer.from(JSON.stringify(manifest))),
      signal: new AbortController().signal,
      ...more,
    });
  const blobs = [manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)].sort();
  return { registry, put, digest, blobs };
}

test("a manifest goes to its tag, or else to its digest, with its bytes as they are", async () => {
  const { registry, put, digest } = await fixture();
  expect(await put("b:x")).toBe(digest);
  expect(await put("b", { from: "b" })).toBe(digest);
  expect(registry.asked("PUT")).toEqual(["PUT /v2/b/manifests/x", `PUT /v2/b/manifests/${digest}`]);
  expect(registry.asked("POST")).toEqual([]);
});

test("blobs of another repository are taken over before the manifest", async () => {
  const { registry, put, blobs } = await fixture();
  await put("b:x", { from: "a/one" });
  const posts = registry.asked("POST").map((each) => new URL(each.slice(5), "http://x").searchParams);
  expect(posts.map((each) => each.get("mount")).sort()).toEqual(blobs);
  expect(new Set(posts.map((each) => each.get("from")))).toEqual(new Set(["a/one"]));
  expect(registry.requests.at(-1)).toBe("PUT /v2/b/manifests/x");
});

test("they are sent again where the registry takes none over, and not where they are there", async () => {
  const { registry, put, blobs } = await fixture();
  const taken = new Set(blobs.slice(1));
  registry.meddle = (request, response) => {
    const url = request.url ?? "";
    if (request.method === "POST") request.url = url.replace(/\?.*/, "");
    if (request.method !== "HEAD" || [...taken].some((digest) => url.endsWith(digest))) return false;
    response.writeHead(404).end();
    return true;
  };
  await put("b:x", { from: "a" });
  expect(registry.asked("GET /v2/a/blobs/")).toEqual([`GET /v2/a/blobs/${blobs[0]}`]);
  expect(registry.uploads.map((each) => sha256(each)).filter((each) => blobs.includes(each))).toEqual([
    blobs[0] ?? "",
  ]);
});

test("where a blob cannot be had nothing is put", async () => {
  const { registry, put, blobs } = await fixture();
  registry.meddle = (request, response) => {
    if (request.method === "POST") request.url = (request.url ?? "").replace(/\?.*/, "");
    if (request.method !== "HEAD" && !request.url?.endsWith(blobs[0] ?? "")) return false;
    response.writeHead(404).end();
    return true;
  };
  await expect(put("b:x", { from: "a" })).rejects.toThrow();
  expect(registry.asked("PUT /v2/b/manifests/")).toEqual([]);
});

test("what is no manifest, and what is no repository, is refused before anything is asked", async () => {
  const { registry, put } = await fixture();
  await expect(put("b:x", { bytes: new Uint8Array(Buffer.from("{}")) })).rejects.toThrow("not of schema 2");
  for (const from of ["../a", "a:tag", "a@b", "A", "a?x=1"])
    await expect(put("b:x", { from })).rejects.toThrow(/no repository|invalid reference/);
  expect(registry.requests).toEqual([]);
});
