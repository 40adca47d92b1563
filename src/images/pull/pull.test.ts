import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../lib/image/digest.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { mediaTypes } from "../../types/oci.ts";
import { FakeRegistry, noise } from "../testing/fake-registry.ts";
import { pullFixture } from "../testing/pull-fixture.ts";

setDefaultTimeout(20_000);

type Fixture = Awaited<ReturnType<typeof pullFixture>>;
const open: Fixture[] = [];
async function fixture(...args: Parameters<typeof pullFixture>): Promise<Fixture> {
  const made = await pullFixture(...args);
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const text = (content: string): Uint8Array => Buffer.from(content.padEnd(1024));
/** What a meddling registry returns once it has answered itself. */
const answered = (_response: unknown): true => true;
const short = (digest: string): string => digest.slice(7, 19);
const sha = (digit: string): string => `sha256:${digit.repeat(64)}`;

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it succeeded");
}

test("a pull tells its steps, names the image by tag and digest, and says so in an event", async () => {
  const { registry, images, pull, events, partials } = await fixture();
  const made = registry.addImage("v1", [text("one"), text("two")]);
  const [one, two] = made.manifest.layers.map(({ digest }) => short(digest));
  const told = await pull("a/b:v1");
  expect(
    told.filter((line) => !/Verifying|Download complete|Extracting|Downloading/.test(line)).sort(),
  ).toEqual(
    [
      "v1: Pulling from a/b",
      `${one}: Pulling fs layer`,
      `${two}: Pulling fs layer`,
      `${one}: Pull complete`,
      `${two}: Pull complete`,
      `Digest: ${made.digest}`,
      `Status: Downloaded newer image for ${registry.host}/a/b:v1`,
    ].sort(),
  );
  const image = images.resolve(`${registry.host}/a/b:v1`);
  expect(image.id).toBe(made.id);
  expect(images.names(image.id)).toEqual({
    tags: [`${registry.host}/a/b:v1`],
    digests: [`${registry.host}/a/b@${made.digest}`],
  });
  expect(images.resolve(`${registry.host}/a/b@${made.digest}`).id).toBe(made.id);
  expect(events()).toEqual([`pull ${registry.host}/a/b:v1`]);
  expect(partials()).toEqual([]);
});

test("an image that has not changed costs one HEAD", async () => {
  const { registry, pull } = await fixture();
  registry.addImage("latest", [text("one")]);
  await pull("x");
  registry.requests.length = 0;
  expect((await pull("x")).at(-1)).toBe(`Status: Image is up to date for ${registry.host}/x:latest`);
  expect(registry.requests).toEqual(["HEAD /v2/x/manifests/latest"]);
  registry.addImage("latest", [text("other")]);
  expect((await pull("x")).at(-1)).toStartWith("Status: Downloaded newer image");
});

test("layers that are here, or twice in an image, are not fetched", async () => {
  const { registry, pull } = await fixture();
  registry.addImage("v1", [text("base"), text("one"), text("one")]);
  const second = registry.addImage("v2", [text("base"), text("two")]);
  await pull("x:v1");
  expect(await pull("x:v2")).toContain(`${short(second.manifest.layers[0]?.digest ?? "")}: Already exists`);
  expect(registry.asked("GET /v2/x/blobs/")).toHaveLength(2 + 3); // configurations and distinct layers
});

test("two pulls at once fetch each blob once; one that is given up does not stop the other", async () => {
  const { registry, pull } = await fixture();
  const made = registry.addImage("v1", [noise(300_000)]);
  const blob = made.manifest.layers[0]?.digest ?? "";
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  registry.meddle = ({ url }, response) => {
    if (!url?.includes(blob)) return false;
    const bytes = registry.blobs.get(blob) ?? new Uint8Array();
    response.writeHead(200, { "Content-Length": bytes.length });
    response.write(bytes.subarray(0, 1000));
    void gate.then(() => response.end(bytes.subarray(1000)));
    return true;
  };
  const giveUp = new AbortController();
  const first = failure(pull("x:v1", { signal: giveUp.signal }));
  const second = pull("y:v1");
  while (registry.asked("GET /v2/y/blobs/").length + registry.asked("GET /v2/x/blobs/").length < 3)
    await Bun.sleep(5);
  giveUp.abort(new Error("gone"));
  expect(await first).toBe("gone");
  go();
  expect((await second).at(-1)).toContain("Downloaded newer image");
  expect(registry.requests.filter((each) => each.includes(blob))).toHaveLength(1);
});

test("a registry that stalls on a layer, or gives a wrong one, holds up no pull of it from another", async () => {
  for (const stalls of [true, false]) {
    const { registry, pull, partials } = await fixture();
    const made = registry.addImage("v1", [noise(300_000)]);
    const blob = made.manifest.layers[0]?.digest ?? "";
    const honest = await FakeRegistry.start();
    try {
      honest.addImage("v1", [noise(300_000)]);
      const meddled = Promise.withResolvers<void>();
      registry.meddle = ({ url }, response) => {
        if (!url?.includes(blob)) return false;
        const length = registry.blobs.get(blob)?.length ?? 0;
        response.writeHead(200, { "Content-Length": length });
        response.write(new Uint8Array(stalls ? 1000 : length));
        meddled.resolve();
        return true;
      };
      const hostile = pull("x:v1").catch((error: Error) => [error.message]);
      await meddled.promise;
      const told = await pull("y:v1", { reference: parseReference(`${honest.host}/y:v1`) });
      expect(told.at(-1)).toContain("Downloaded newer image");
      const [end] = (await hostile).slice(-1);
      // the layer came by the other: its pull needs nothing more
      if (stalls) expect(end).toContain("Downloaded newer image");
      while (partials().length > 0) await Bun.sleep(5); // its beginning is let go of
    } finally {
      await honest.stop();
    }
  }
});

test("the layers and beginnings that a broken pull brought serve its next try, or go after a while", async () => {
  const { registry, images, layers, pull, partials } = await fixture();
  const made = registry.addImage("v1", [text("one"), noise(300_000)]);
  const broken = made.manifest.layers[1]?.digest ?? "";
  registry.meddle = ({ url }, response) => {
    if (!url?.includes(broken)) return false;
    const bytes = registry.blobs.get(broken) ?? new Uint8Array();
    response.writeHead(200, { "Content-Length": bytes.length });
    response.write(bytes.subarray(0, 1000));
    const cut = setInterval(() => {
      if (layers.size === 0) return;
      clearInterval(cut);
      response.socket?.destroy();
    }, 5);
    return true;
  };
  await pull("x:v1").catch(() => undefined);
  expect([layers.size, partials().length]).toEqual([1, 1]);
  // the fixture's layers are of 1970, the beginning is of now
  await images.collect(new Set(), { unusedForMs: Date.now() });
  expect([layers.size, partials().length]).toEqual([1, 1]);
  await images.collect(new Set(), { unusedForMs: 3600_000, beginnings: true });
  expect([layers.size, partials().length]).toEqual([0, 1]);
  await images.collect(new Set(), { beginnings: true });
  expect(partials()).toEqual([]);
});

test("a connection that the registry closed when it was used again is made anew", async () => {
  const { registry, pull } = await fixture();
  registry.addImage("v1", [text("one")]);
  const seen = new Set<string>();
  registry.meddle = (request) => {
    const what = `${request.method} ${request.url}`;
    if (what.includes("blobs") || seen.has(what)) return false;
    seen.add(what);
    request.socket.destroy();
    return true;
  };
  expect((await pull("x:v1")).at(-1)).toContain("Downloaded newer image");
  expect(seen.size).toBeGreaterThan(0);
});

test("an index is followed to the platform's image, an older variant or this machine's", async () => {
  const { registry, images, pull } = await fixture();
  const entries = ["amd64", "arm64", "arm"].map((architecture) => {
    const {
      manifest: _,
      id: __,
      ...descriptor
    } = registry.addImage(undefined, [text(architecture)], { architecture });
    return {
      ...descriptor,
      platform: { os: "linux", architecture, ...(architecture === "arm" ? { variant: "v6" } : {}) },
    };
  });
  registry.addManifest("latest", mediaTypes.ociIndex, { schemaVersion: 2, manifests: entries });
  await pull("x", { platform: "linux/arm64" });
  expect(images.resolve(`${registry.host}/x`).config.architecture).toBe("arm64");
  await pull("x", { platform: "linux/arm/v7" });
  expect(images.resolve(`${registry.host}/x`).config.architecture).toBe("arm");
  expect(await failure(pull("x", { platform: "linux/s390x" }))).toBe(
    "no matching manifest for linux/s390x in the manifest list entries",
  );
});

test("a connection that is cut, wherever, is made again where it stopped", async () => {
  const { registry, layers, pull } = await fixture();
  const content = noise(100_000);
  for (let percent = 0; percent < 100; percent++) {
    const layer = Buffer.concat([content, Buffer.from(String(percent))]);
    const made = registry.addImage(`v${percent}`, [layer], { plain: true });
    const blob = made.manifest.layers[0]?.digest ?? "";
    const cut = Math.trunc((layer.length * percent) / 100);
    let times = 0;
    registry.meddle = ({ url }, response) => {
      if (!url?.includes(blob) || times++ > 0) return false;
      response.writeHead(200, { "Content-Length": layer.length });
      response.write(layer.subarray(0, cut), () => response.socket?.end());
      return true;
    };
    await pull(`x:v${percent}`);
    expect(layers.has(sha256(layer))).toBe(true);
    expect(registry.requests.filter((each) => each.includes(blob)).length).toBe(2);
  }
});

test("a manifest or a configuration that is cut, wherever, is one error or none, and the next pull works", async () => {
  const { registry, images, pull } = await fixture();
  const { manifest, digest, id } = registry.addImage("v1", [text("x")]);
  const whole: [where: string, bytes: Uint8Array][] = [
    ["/manifests/v1", registry.manifests.get("v1")?.bytes ?? new Uint8Array()],
    [manifest.config.digest, registry.blobs.get(manifest.config.digest) ?? new Uint8Array()],
  ];
  for (const [where, bytes] of whole)
    for (let percent = 0; percent < 100; percent += 5) {
      registry.meddle = ({ url, method }, response) => {
        if (method !== "GET" || !url?.includes(where)) return false;
        response.writeHead(200, { "Content-Length": bytes.length, "Content-Type": manifest.mediaType });
        response.write(bytes.subarray(0, (bytes.length * percent) / 100), () => response.socket?.end());
        return true;
      };
      const sentence = await failure(pull("x:v1"));
      expect(sentence).toContain(where);
      expect(sentence).not.toContain("\n");
      expect(images.count()).toBe(0);
    }
  registry.meddle = () => false;
  expect(await pull("x:v1")).toContain(`Digest: ${digest}`);
  expect(images.resolve(`${registry.host}/x:v1`).id).toBe(id);
});

test("what was received goes on in the next pull, also of another engine", async () => {
  const { registry, pull, partials } = await fixture();
  const layer = noise(3_000_000);
  const blob = registry.addImage("v1", [layer], { plain: true }).manifest.layers[0]?.digest ?? "";
  registry.meddle = ({ url, headers }, response) => {
    if (!url?.includes(blob)) return false;
    if (headers.range) return answered(response.writeHead(503).end());
    response.writeHead(200, { "Content-Length": layer.length });
    response.write(layer.subarray(0, 2_500_000), () => response.socket?.end());
    return true;
  };
  expect(await failure(pull("x:v1"))).toContain("503");
  expect(partials()).toHaveLength(1);
  registry.meddle = () => false;
  registry.requests.length = 0;
  await pull("x:v1");
  const [asked = ""] = registry.requests.filter((each) => each.includes(blob));
  expect(Number(/bytes=(\d+)-/.exec(asked)?.[1])).toBeGreaterThan(1_000_000);
  expect(partials()).toEqual([]);
});

test("a registry that ignores ranges, or tells another, is read from the beginning", async () => {
  for (const lie of ["ignores", "other", "bytes"]) {
    const { registry, layers, pull } = await fixture();
    const layer = noise(3_000_000);
    const blob = registry.addImage("v1", [layer], { plain: true }).manifest.layers[0]?.digest ?? "";
    let times = 0;
    registry.meddle = ({ url, headers }, response) => {
      if (!url?.includes(blob)) return false;
      if (times++ === 0) {
        response.writeHead(200, { "Content-Length": layer.length });
        response.write(layer.subarray(0, 2_500_000), () => response.socket?.end());
      } else if (headers.range === undefined || lie === "ignores") response.writeHead(200).end(layer);
      else if (lie === "other") response.writeHead(206, { "Content-Range": "bytes 5-9/10" }).end("hello");
      else {
        // the right part by its header, and other bytes
        const from = Number(/\d+/.exec(headers.range)?.[0]);
        response
          .writeHead(206, { "Content-Range": `bytes ${from}-2999999/3000000` })
          .end(noise(3_000_000 - from, 9));
      }
      return true;
    };
    if (lie === "bytes") expect(await failure(pull("x:v1"))).toContain("verification failed");
    else {
      await pull("x:v1");
      expect(layers.has(sha256(layer))).toBe(true);
    }
  }
});

test("a kept beginning that turns out wrong is thrown away, and all is fetched again", async () => {
  const { registry, layers, pull } = await fixture();
  const layer = noise(3_000_000);
  const blob = registry.addImage("v1", [layer], { plain: true }).manifest.layers[0]?.digest ?? "";
  registry.meddle = ({ url, headers }, response) => {
    if (!url?.includes(blob)) return false;
    if (headers.range) return answered(response.writeHead(503).end());
    response.writeHead(200, { "Content-Length": layer.length });
    response.write(noise(2_000_000, 7), () => response.socket?.end());
    return true;
  };
  await failure(pull("x:v1"));
  registry.meddle = () => false;
  await pull("x:v1");
  expect(layers.has(sha256(layer))).toBe(true);
});

test("wrong content, wrong lengths and broken archives are refused in one sentence, and leave nothing", async () => {
  const { registry, images, pull, partials } = await fixture();
  const good = noise(100_000);
  const blob = registry.addImage("v1", [good], { plain: true }).manifest.layers[0]?.digest ?? "";
  registry.blobs.set(blob, noise(100_000, 5));
  expect(await failure(pull("x:v1"))).toBe(`filesystem layer verification failed for digest ${blob}`);
  registry.blobs.set(blob, noise(100_001));
  expect(await failure(pull("x:v1"))).toBe(`blob ${blob} has over 100000 bytes, which its manifest says`);
  registry.blobs.set(blob, noise(99_999));
  expect(await failure(pull("x:v1"))).toContain("ended after 99999 of 100000 bytes");
  registry.blobs.set(blob, noise(100_000));
  await pull("x:v1");

  const packed = gzipSync(noise(5000)).subarray(0, 3000);
  const made = registry.addImage("v2", [text("x")]);
  const broken = {
    ...made.manifest,
    layers: [
      { mediaType: mediaTypes.dockerLayerGzip, size: packed.length, digest: registry.addBlob(packed) },
    ],
  };
  registry.addManifest("v2", mediaTypes.dockerManifest, broken);
  expect(await failure(pull("x:v2"))).toContain("unexpected EOF");
  registry.addManifest("v3", mediaTypes.dockerManifest, {
    ...made.manifest,
    layers: [{ mediaType: mediaTypes.dockerLayerGzip, size: 0, digest: registry.addBlob(new Uint8Array()) }],
  });
  expect(await failure(pull("x:v3"))).toBe("layers from manifest don't match image configuration");
  expect(images.count()).toBe(1);
  expect(partials()).toEqual([]);
});

test("a registry that stands still is given up", async () => {
  const { registry, pull } = await fixture({ stallMs: 300 });
  const blob = registry.addImage("v1", [noise(100_000)]).manifest.layers[0]?.digest ?? "";
  registry.meddle = ({ url }, response) => {
    if (!url?.includes(blob)) return false;
    response.writeHead(200, { "Content-Length": 100 });
    response.write("x");
    return true;
  };
  expect(await failure(pull("x:v1"))).toContain("nothing came for");
  registry.meddle = ({ url }) => url?.includes("manifests") ?? false;
  expect(await failure(pull("x:v1"))).toContain("nothing came for");
});

test("redirects in a loop end, and credentials never go to another host", async () => {
  const { registry, pull } = await fixture();
  const other = await pullFixture();
  open.push(other);
  const blob = registry.addImage("v1", [text("x")]).manifest.layers[0]?.digest ?? "";
  for (const [digest, bytes] of registry.blobs) other.registry.blobs.set(digest, bytes);
  registry.meddle = ({ url, headers }, response) => {
    if (headers.authorization === undefined)
      return answered(response.writeHead(401, { "WWW-Authenticate": 'Basic realm="x"' }).end());
    if (!url?.includes(blob)) return false;
    response.writeHead(307, { Location: `http://${other.registry.host}${url}` }).end();
    return true;
  };
  const credentials = { username: "me", password: "secret" };
  await pull("x:v1", { credentials });
  expect(other.registry.headers.map(({ authorization }) => authorization)).toEqual([undefined]);

  registry.meddle = ({ url }, response) => answered(response.writeHead(302, { Location: url ?? "" }).end());
  expect(await failure(pull("x:v1", { credentials }))).toContain("redirects");
  registry.meddle = (_, response) =>
    answered(response.writeHead(302, { Location: "file:///etc/passwd" }).end());
  expect(await failure(pull("x:v1", { credentials }))).toContain("is not followed");
  const metadata = "http://169.254.169.254/latest/meta-data/";
  registry.meddle = (_, response) => answered(response.writeHead(302, { Location: metadata }).end());
  expect(await failure(pull("x:v1", { credentials }))).toContain(
    "link-local address 169.254.169.254, which is not followed",
  );
});

test("a token is asked for at an address of the web alone, and at no link-local one", async () => {
  const { registry, pull } = await fixture();
  for (const [realm, sentence] of [
    ["file:///etc/passwd", "invalid token auth challenge realm"],
    ["/token", "invalid token auth challenge realm"],
    ["http://169.254.169.254/latest/meta-data/", "link-local address 169.254.169.254: refused"],
  ]) {
    registry.meddle = ({ url }, response) =>
      url !== "/v2/" &&
      answered(response.writeHead(401, { "WWW-Authenticate": `Bearer realm="${realm}"` }).end());
    expect(await failure(pull("x:v1"))).toContain(sentence ?? "");
  }
});

test("tokens that run out in the middle are got anew, for the scope of the repository", async () => {
  const { registry, pull } = await fixture();
  registry.addImage("v1", [text("one"), text("two"), text("three")]);
  const uses = new Map<string, number>();
  registry.meddle = ({ url, headers }, response) => {
    if (url?.startsWith("/token")) {
      const token = `t${uses.size}`;
      uses.set(token, 0);
      response.end(JSON.stringify({ token, expires_in: 3600 }));
      return true;
    }
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    const used = uses.get(token) ?? 2;
    uses.set(token, used + 1);
    if (token !== "" && used < 2) return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="test"`;
    response.writeHead(401, { "WWW-Authenticate": challenge }).end();
    return true;
  };
  await pull("x:v1", { credentials: { username: "me", password: "secret" } });
  const [first = ""] = registry.asked("GET /token");
  expect(first).toBe("GET /token?service=test&scope=repository%3Ax%3Apull&account=me");
  expect(registry.asked("GET /token").length).toBeGreaterThan(1);
});

test("a token that is not renewed in the middle is one error, what came is kept, and the next pull works", async () => {
  const { registry, images, pull, partials } = await fixture();
  const layer = noise(3_000_000);
  const blob = registry.addImage("v1", [layer], { plain: true }).manifest.layers[0]?.digest ?? "";
  let renewed = false;
  let asked = 0;
  registry.meddle = ({ url, headers }, response) => {
    if (url?.startsWith("/token")) {
      if (asked++ > 0 && !renewed) return answered(response.writeHead(401).end());
      return answered(response.end(JSON.stringify({ token: `t${renewed}` })));
    }
    const late = url?.includes(blob) && headers.range !== undefined;
    if (headers.authorization === undefined || (late && headers.authorization !== "Bearer ttrue")) {
      const challenge = `Bearer realm="http://${registry.host}/token",service="test"`;
      return answered(response.writeHead(401, { "WWW-Authenticate": challenge }).end());
    }
    if (!url?.includes(blob) || late) return false;
    response.writeHead(200, { "Content-Length": layer.length });
    response.write(layer.subarray(0, 2_500_000), () => response.socket?.end());
    return true;
  };
  const credentials = { username: "me", password: "secret" };
  expect(await failure(pull("x:v1", { credentials }))).toContain("access denied for");
  expect([images.count(), partials().length]).toEqual([0, 1]);
  renewed = true;
  expect((await pull("x:v1", { credentials })).at(-1)).toContain("Downloaded newer image");
  expect(partials()).toEqual([]);
});

test("manifests beyond the limit, nested indexes, schema 1, artifacts and foreign layers are refused clearly", async () => {
  const { registry, pull } = await fixture();
  registry.manifests.set("huge", {
    mediaType: mediaTypes.ociManifest,
    bytes: Buffer.alloc(100_000_000, " "),
  });
  expect(await failure(pull("x:huge"))).toBe("the manifest of huge is over 4194304 bytes");

  let child: Record<string, unknown> = registry.addImage(undefined, [text("x")]);
  for (let depth = 0; depth < 50; depth++)
    child = registry.addManifest("deep", mediaTypes.ociIndex, {
      schemaVersion: 2,
      manifests: [{ mediaType: child["mediaType"], digest: child["digest"], size: child["size"] }],
    });
  expect(await failure(pull("x:deep"))).toBe("its indexes are nested over 4 deep");

  registry.addManifest("old", "application/vnd.docker.distribution.manifest.v1+prettyjws", {
    schemaVersion: 1,
  });
  expect(await failure(pull("x:old"))).toContain("schema 1");

  const { mediaType: own, ...manifest } = registry.addImage("good", [text("x")]).manifest;
  const config = { ...manifest.config, mediaType: "application/vnd.cncf.helm.config.v1+json" };
  registry.addManifest("helm", mediaTypes.ociManifest, { ...manifest, config });
  expect(await failure(pull("x:helm"))).toBe(
    "unsupported media type application/vnd.cncf.helm.config.v1+json",
  );

  const foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  const layers = manifest.layers.map((layer) => ({
    ...layer,
    mediaType: foreign,
    urls: ["https://x.example/y"],
  }));
  registry.addManifest("foreign", mediaTypes.dockerManifest, { ...manifest, layers });
  expect(await failure(pull("x:foreign"))).toContain("is foreign");

  registry.addManifest("both", mediaTypes.ociManifest, { ...manifest, manifests: [] });
  registry.addManifest("index", mediaTypes.ociIndex, manifest);
  for (const tag of ["both", "index"]) expect(await failure(pull(`x:${tag}`))).toContain("ambiguous");
  registry.addManifest("other", mediaTypes.ociManifest, { ...manifest, mediaType: own });
  expect(await failure(pull("x:other"))).toContain("mediaType in manifest should be");
});

test("what is missing or refused is told in Docker's words", async () => {
  const { registry, pull } = await fixture();
  expect(await failure(pull("x:none"))).toBe(
    `manifest for ${registry.host}/x:none not found: manifest unknown: manifest unknown`,
  );
  expect(await failure(pull(`x@${sha("1")}`))).toContain("not found: manifest unknown");
  registry.meddle = ({ url }, response) => {
    if (url === "/v2/") return false;
    const body = { errors: [{ code: "DENIED", message: "requested access to the resource is denied" }] };
    response.writeHead(403).end(JSON.stringify(body));
    return true;
  };
  expect(await failure(pull("x:v1"))).toBe(
    `pull access denied for ${registry.host}/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
  );
});

test("mirrors are asked first, without credentials, and the origin where they fail", async () => {
  const mirror = await fixture();
  const { registry, distribution, pull } = await fixture();
  distribution.configure({
    ...distribution.options,
    mirrors: { [registry.host]: ["http://127.0.0.1:1", `http://${mirror.registry.host}`] },
  });
  const layer = text("x");
  registry.addImage("v1", [layer]);
  mirror.registry.addImage("v1", [layer]);
  registry.addImage("v2", [text("y")]);
  const credentials = { username: "me", password: "secret" };
  await pull("x:v1", { credentials });
  expect(registry.requests).toEqual([]);
  expect(mirror.registry.headers.every(({ authorization }) => authorization === undefined)).toBe(true);
  await pull("x:v2", { credentials });
  expect(registry.requests).not.toEqual([]);
});
