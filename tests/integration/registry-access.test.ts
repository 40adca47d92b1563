/** How registries are reached: client certificates, proxies, token servers, identity tokens, credential stores. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { startProxy, type TestProxy } from "../harness/proxy.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";
import { startStaticRegistry } from "../harness/static-registry.ts";
import { identityToken, startTokenServer, type TokenServer } from "../harness/token-server.ts";
import { digestOf } from "../support/archives.ts";

setDefaultTimeout(120_000);

/** loopback needs neither verified certificates nor proxies: another address of the network namespace does */
const address = "10.99.99.1";
const plain = `${address}:5020`;
const certified = `${address}:5021`;
const tokened = "127.0.0.1:5022";
let engine: TestEngine;
let proxy: TestProxy;
let tokens: TokenServer;
let registries: TestRegistry[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-registry-access-"));
  engine = await startEngine({ images: ["busybox"], flags: ["--insecure-registry", plain] });
  proxy = await startProxy(engine, 5029);
  tokens = await startTokenServer(engine, 5028);
  registries = [
    await startRegistry(engine, { port: 5020, address }),
    await startRegistry(engine, { port: 5021, address, tls: true, clientCertificates: true }),
    await startRegistry(engine, {
      port: 5022,
      tokensFrom: { realm: tokens.realm, authority: tokens.authority },
    }),
  ];
});
afterAll(async () => {
  for (const each of [...registries, tokens, proxy]) await each?.destroy();
  await engine?.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** Puts files of a registry where the engine looks for its certificates, for as long as the work takes. */
async function withCertificates(names: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const place = `/etc/docker/certs.d/${certified}`;
  await mkdir(place, { recursive: true });
  try {
    for (const [name, from] of Object.entries(names))
      await copyFile(join(registries[1]?.folder ?? "", from), join(place, name));
    await work();
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

test("a registry that wants a client's certificate gets it, and without one refuses in one sentence", async () => {
  const name = `${certified}/private`;
  await engine.ok("tag", "busybox", name);
  await withCertificates({ "ca.crt": "ca.crt" }, async () => {
    const { code, stderr } = await engine.berth("push", "-q", name);
    expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
    expect(stderr).toMatch(
      /^Get "https:\S+\/v2\/": remote error: tls: (bad certificate|certificate required)$/m,
    );
  });
  await withCertificates({ "ca.crt": "ca.crt", "client.cert": "client.cert" }, async () => {
    expect((await engine.berth("push", "-q", name)).stderr).toContain(
      "missing key client.key for client certificate client.cert",
    );
  });
  const all = { "ca.crt": "ca.crt", "client.cert": "client.cert", "client.key": "client.key" };
  await withCertificates(all, async () => {
    await engine.ok("push", "-q", name);
    await engine.ok("rmi", name);
    expect(await engine.ok("pull", "-q", name)).toBe(`${name}:latest`);
  });
  await engine.ok("rmi", name);
});

test("a proxy of the engine's options carries TLS and plain registries, but for the exceptions", async () => {
  const file = join(folder, "daemon.json");
  const options = (exceptions: string) =>
    writeFile(
      file,
      JSON.stringify({
        "insecure-registries": [plain, certified],
        proxies: { "http-proxy": proxy.url, "https-proxy": proxy.url, "no-proxy": exceptions },
        bip: "172.28.0.1/16",
      }),
    );
  await options("");
  const other = await startEngine({ beside: engine, flags: ["--config-file", file] });
  try {
    const text = () => other.berth("pull", `${plain}/absent`);
    expect((await text()).stderr).toContain("manifest unknown");
    expect(proxy.asked()).toContain(`GET http://${plain}/v2/absent/manifests/latest`);
    await withCertificates({ "client.cert": "client.cert", "client.key": "client.key" }, async () => {
      expect((await other.berth("pull", `${certified}/absent`)).stderr).toContain("manifest unknown");
    });
    expect(proxy.asked()).toContain(`CONNECT ${certified}`);
    await options("10.99.0.0/16");
    process.kill(other.pid, "SIGHUP");
    for (let went = true; went; went = proxy.asked().length > 0)
      expect((await text()).stderr).toContain("manifest unknown");
    expect(await other.ok("info", "-f", "{{.HTTPProxy}} {{.NoProxy}}")).toBe(`${proxy.url} 10.99.0.0/16`);
  } finally {
    await other.destroy();
  }
});

test("a proxy of the engine's environment does too", async () => {
  const environment = { HTTP_PROXY: proxy.url, no_proxy: `elsewhere,${certified}` };
  const flags = ["--insecure-registry", plain, "--bip", "172.28.0.1/16"];
  const other = await startEngine({ beside: engine, env: environment, flags });
  try {
    proxy.asked();
    expect((await other.berth("pull", `${plain}/absent`)).stderr).toContain("manifest unknown");
    expect(proxy.asked()).toContain(`GET http://${plain}/v2/absent/manifests/latest`);
    expect((await other.berth("pull", `${certified}/absent`)).code).toBe(1);
    expect(proxy.asked()).toEqual([]);
  } finally {
    await other.destroy();
  }
});

const client = (config: string, args: string[], input?: string) =>
  run(engine.inNetwork([berth, "--config", config, ...args]), {
    env: { PATH: `${config}:${process.env["PATH"]}`, DOCKER_HOST: engine.host },
    ...(input === undefined ? {} : { input }),
  });
const login = (config: string, password: string) =>
  client(config, ["login", "-u", "me", "--password-stdin", tokened], password);

test("a login that brings an identity token keeps it in place of the password, and pushes and pulls by it", async () => {
  const config = join(folder, "tokens");
  await mkdir(config);
  const name = `${tokened}/team/private`;
  await engine.ok("tag", "busybox", name);
  const refused = await client(config, ["push", "-q", name]);
  expect([refused.code, refused.stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect((await login(config, "wrong")).code).toBe(1);
  tokens.asked();

  const done = await login(config, "secret");
  expect([done.code, done.stdout]).toEqual([0, "Login Succeeded\n"]);
  const kept = readFileSync(join(config, "config.json"), "utf8");
  expect(JSON.parse(kept).auths[tokened]).toMatchObject({ identitytoken: identityToken });
  expect(kept).not.toContain(Buffer.from("me:secret").toString("base64"));
  expect(tokens.asked()).toEqual(["GET password "]);

  expect(await client(config, ["push", "-q", name])).toMatchObject({ code: 0 });
  expect(tokens.asked()).toEqual(["POST refresh_token repository:team/private:pull,push"]);
  await engine.ok("rmi", name);
  expect(await client(config, ["pull", "-q", name])).toMatchObject({ code: 0, stdout: `${name}:latest\n` });
  expect(tokens.asked()).toEqual(["POST refresh_token repository:team/private:pull"]);
  expect((await client(config, ["manifest", "inspect", name])).code).toBe(0);

  await client(config, ["logout", tokened]);
  await engine.ok("rmi", name);
  expect((await client(config, ["pull", "-q", name])).code).toBe(1);
});

test("a password for a token server is asked with, once a pull", async () => {
  const config = join(folder, "password");
  await mkdir(config);
  const auth = Buffer.from("me:secret").toString("base64");
  await writeFile(join(config, "config.json"), JSON.stringify({ auths: { [tokened]: { auth } } }));
  tokens.asked();
  expect((await client(config, ["pull", "-q", `${tokened}/team/private`])).code).toBe(0);
  expect(tokens.asked()).toEqual(["GET password repository:team/private:pull"]);
  await engine.ok("rmi", `${tokened}/team/private`);
});

test("artifacts are shown and refused by name; what refers to an image is listed", async () => {
  const store = await startStaticRegistry(engine, 5023);
  try {
    const name = `${store.address}/art`;
    const image = await store.addImage("image", []);
    const empty = {
      mediaType: "application/vnd.oci.empty.v1+json",
      ...(await store.addBlob(Buffer.from("{}"))),
    };
    const sbom = await store.addManifest("sbom", {
      artifactType: "application/vnd.test.sbom",
      subject: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: image, size: 1 },
      config: empty,
      layers: [empty],
    });
    const refused = await engine.berth("pull", "-q", `${name}:sbom`);
    expect([refused.code, refused.stderr.trim()]).toEqual([
      1,
      expect.stringMatching(/unsupported media type application\/vnd\.oci\.empty\.v1\+json$/),
    ]);
    const shown = JSON.parse(await engine.ok("manifest", "inspect", `${name}:sbom`));
    expect(shown).toMatchObject({ artifactType: "application/vnd.test.sbom", subject: { digest: image } });
    const raw = await engine.berth("manifest", "inspect", "--raw", `${name}:sbom`);
    expect(digestOf(Buffer.from(raw.stdout))).toBe(sbom);

    // a registry of before OCI 1.1, as this one and Debian's are, keeps them in an index under a tag
    const referrers = (...args: string[]) =>
      engine.ok("manifest", "referrers", "-q", ...args, `${name}:image`);
    expect(await referrers()).toBe("");
    await store.addManifest(image.replace(":", "-"), {
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        {
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          digest: sbom,
          size: raw.stdout.length,
          artifactType: "application/vnd.test.sbom",
        },
      ],
    });
    expect(await referrers()).toBe(sbom);
    expect(await referrers("--artifact-type", "application/vnd.other")).toBe("");
  } finally {
    await store.destroy();
  }
});

test("a credential store keeps the identity token, for every registry", async () => {
  const config = join(folder, "store");
  await mkdir(config);
  const kept = join(config, "kept");
  await writeFile(join(config, "config.json"), JSON.stringify({ credsStore: "test" }));
  const script = [
    "#!/bin/sh",
    "case $1 in",
    `store) cat >${kept} ;;`,
    `get) read -r server; grep -q "\\"$server\\"" ${kept} 2>/dev/null && cat ${kept} || { echo "credentials not found in native keychain"; exit 1; } ;;`,
    `erase) cat >/dev/null; rm -f ${kept} ;;`,
    "list) echo {} ;;",
    "esac",
  ];
  await writeFile(join(config, "docker-credential-test"), `${script.join("\n")}\n`, { mode: 0o755 });
  expect(await login(config, "secret")).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(readFileSync(kept, "utf8"))).toEqual({
    ServerURL: tokened,
    Username: "<token>",
    Secret: identityToken,
  });
  expect(readFileSync(join(config, "config.json"), "utf8")).not.toContain(identityToken);
  expect((await client(config, ["pull", "-q", `${tokened}/team/private`])).code).toBe(0);
  await client(config, ["logout", tokened]);
  expect(existsSync(kept)).toBe(false);
});
