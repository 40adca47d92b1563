import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { sha256 } from "../../lib/image/digest.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { mediaTypes } from "../../types/oci.ts";
import { noise } from "../testing/fake-registry.ts";
import { pullFixture } from "../testing/pull-fixture.ts";

setDefaultTimeout(20_000);

const open: Awaited<ReturnType<typeof pullFixture>>[] = [];
async function fixture() {
  const made = await pullFixture();
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const short = (digest: string): string => digest.slice(7, 19);

test("an image that was pulled keeps its digest in another repository, and no layer is sent", async () => {
  const { registry, images, pull, push } = await fixture();
  const layer = noise(10_000);
  const made = registry.addImage("v1", [layer]);
  await pull("a:v1");
  images.tag(`${registry.host}/a:v1`, `${registry.host}/b:v2`);
  registry.requests.length = 0;
  expect(await push("b:v2")).toEqual([
    `The push refers to repository [${registry.host}/b]`,
    `${short(sha256(layer))}: Preparing`,
    `${short(sha256(layer))}: Mounted from a`,
    `v2: digest: ${made.digest} size: ${made.size}`,
  ]);
  expect(registry.asked("PATCH")).toEqual([]);
  expect(images.names(made.id).digests).toContain(`${registry.host}/b@${made.digest}`);
});

test("an image known by two manifests of the same layers is pushed by the one it was last pulled by", async () => {
  const { registry, images, pull, push } = await fixture();
  const { manifest } = registry.addImage("v1", [noise(10_000)]);
  const again = registry.addManifest("v2", mediaTypes.ociManifest, {
    ...manifest,
    mediaType: mediaTypes.ociManifest,
    annotations: { of: "another tool" },
  });
  await pull("a:v1");
  await pull("a:v2");
  images.tag(`${registry.host}/a:v2`, `${registry.host}/b:v2`);
  expect((await push("b:v2")).at(-1)).toBe(`v2: digest: ${again.digest} size: ${again.size}`);
});

test("an image of another platform than asked for is refused before the first line", async () => {
  const { registry, images, pull } = await fixture();
  registry.addImage("v1", [noise(10)], { architecture: "arm64" });
  await pull("a:v1", { platform: "linux/arm64" });
  const push = images.push({
    reference: parseReference(`${registry.host}/a:v1`),
    platform: JSON.stringify({ os: "linux", architecture: "s390x" }),
    signal: new AbortController().signal,
  });
  await expect(push[Symbol.asyncIterator]().next()).rejects.toThrow(
    "its platform (linux/arm64) does not match the specified platform (linux/s390x)",
  );
});

test("a layer the registry lacks is sent as gzip, once, also when the line breaks", async () => {
  const origin = await fixture();
  const layer = noise(4_000_000);
  origin.registry.addImage("v1", [layer], { plain: true });
  await origin.pull("a:v1");
  origin.registry.blobs.clear(); // the registry has lost it
  const made = origin.images.resolve(`${origin.registry.host}/a:v1`);
  let times = 0;
  let broken = false;
  origin.registry.meddle = (request) => {
    if (request.method !== "PATCH") return false;
    times++;
    let got = 0;
    request.on("data", (bytes: Uint8Array) => {
      got += bytes.length;
      if (broken || got <= 1_000_000) return;
      broken = true;
      request.socket.destroy();
    });
    return false;
  };
  const told = await origin.push("a:v1");
  expect(told).toContain(`${short(sha256(layer))}: Pushed`);
  expect(times).toBe(2); // the layer in two parts
  const { bytes, mediaType } = origin.registry.manifests.get("v1") ?? {};
  expect(mediaType).toBe(mediaTypes.dockerManifest);
  const manifest = JSON.parse(Buffer.from(bytes ?? []).toString());
  expect(manifest.config.digest).toBe(made.id);
  expect(sha256(gunzipSync(origin.registry.blobs.get(manifest.layers[0].digest) ?? ""))).toBe(sha256(layer));

  expect(await origin.push("a:v1")).toContain(`${short(sha256(layer))}: Layer already exists`);
});

test("every tag of a repository is pushed with one event, which names the repository", async () => {
  const { registry, images, pull, push, events } = await fixture();
  registry.addImage("v1", [noise(10)]);
  registry.addImage("v2", [noise(20)]);
  await pull("a:v1");
  await pull("a:v2");
  for (const tag of ["v1", "v2"]) images.tag(`${registry.host}/a:${tag}`, `${registry.host}/b:${tag}`);
  await push("b");
  expect(events().filter((event) => event.startsWith("push"))).toEqual([`push ${registry.host}/b`]);
});

test("a registry that cannot be had is told before any layer", async () => {
  const { registry, images, pull } = await fixture();
  registry.addImage("v1", [noise(10)]);
  await pull("a:v1");
  images.tag(`${registry.host}/a:v1`, "127.0.0.1:1/a:v1");
  const told: unknown[] = [];
  const push = images.push({
    reference: parseReference("127.0.0.1:1/a:v1"),
    signal: new AbortController().signal,
  });
  const all = async (): Promise<void> => {
    for await (const message of push) told.push(message.status);
  };
  await expect(all()).rejects.toThrow('Get "http://127.0.0.1:1/v2/"');
  expect(told).toEqual(["The push refers to repository [127.0.0.1:1/a]"]);
});

test("a configuration whose upload breaks off is sent anew", async () => {
  const { registry, images, pull, push } = await fixture();
  registry.addImage("v1", [noise(1000)]);
  await pull("a:v1");
  const { id } = images.resolve(`${registry.host}/a:v1`);
  registry.blobs.delete(id);
  let puts = 0;
  registry.meddle = ({ method, url, socket }) => {
    if (method !== "PUT" || url?.includes("/manifests/") || puts++ > 0) return false;
    socket.destroy();
    return true;
  };
  await push("a:v1");
  expect(puts).toBe(2);
  expect(registry.blobs.has(id)).toBe(true);
});

test("what is not here is refused after the first line, and a refusal of the registry is told", async () => {
  const { registry, pull, push } = await fixture();
  await expect(push("none")).rejects.toThrow(
    `An image does not exist locally with the tag: ${registry.host}/none`,
  );
  registry.addImage("v1", [noise(100)]);
  await pull("a:v1");
  registry.blobs.clear();
  registry.meddle = ({ method }, response) => {
    if (method !== "POST") return false;
    const errors = [{ code: "DENIED", message: "requested access to the resource is denied" }];
    response.writeHead(403).end(JSON.stringify({ errors }));
    return true;
  };
  await expect(push("a:v1")).rejects.toThrow("denied: requested access to the resource is denied");
});
