/** Pull, push and login against Debian's docker-registry: plain, with a password, with TLS, as a mirror; and faults. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const plain = "127.0.0.1:5005";
const locked = "127.0.0.1:5006";
let engine: TestEngine;
let registries: TestRegistry[];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-registry-test-"));
  engine = await startEngine({ images: ["busybox"] });
  registries = [
    await startRegistry(engine, { port: 5005 }),
    await startRegistry(engine, { port: 5006, login: { user: "me", password: "secret" }, tls: true }),
    await startRegistry(engine, { port: 5007, mirrorOf: `http://${plain}` }),
  ];
});
afterAll(async () => {
  for (const registry of registries ?? []) await registry.destroy();
  await engine?.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** An image of one file with these bytes. */
async function importFile(name: string, content: Uint8Array, to = engine): Promise<void> {
  const root = await mkdtemp(join(folder, "root-"));
  await writeFile(join(root, "file"), content);
  const tar = join(folder, "import.tar");
  const packed = await run(["tar", "-C", root, "-cf", tar, "file"]);
  if (packed.code !== 0) throw new Error(packed.stderr);
  const { code, stderr } = await to.berth("import", tar, name);
  if (code !== 0) throw new Error(stderr);
  await rm(root, { recursive: true });
}

const random = (length: number): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
const bytes = (length: number): Uint8Array =>
  Buffer.concat(Array.from({ length: Math.ceil(length / 65_536) }, () => random(length)));

/** The client with a configuration of its own. */
const withConfig = (config: string, ...args: string[]) => engine.berth("--config", config, ...args);

test("what is pushed is pulled unchanged, is not sent twice, and is taken over by other repositories", async () => {
  await engine.ok("tag", "busybox", `${plain}/one`);
  expect(await engine.ok("push", `${plain}/one`)).toContain("Pushed");
  expect(await engine.ok("push", `${plain}/one`)).toContain("Layer already exists");
  await engine.ok("tag", "busybox", `${plain}/two/three:x`);
  expect(await engine.ok("push", `${plain}/two/three:x`)).toContain("Mounted from one");
  const id = await engine.ok("image", "inspect", "-f", "{{.Id}}", "busybox");
  const digest = (
    await engine.ok("image", "inspect", "-f", "{{index .RepoDigests 0}}", `${plain}/one`)
  ).split("@")[1];
  await engine.ok("rmi", `${plain}/one`, `${plain}/two/three:x`);
  expect(await engine.ok("pull", `${plain}/one@${digest}`)).toContain(`Digest: ${digest}`);
  expect(await engine.ok("image", "inspect", "-f", "{{.Id}}", `${plain}/one@${digest}`)).toBe(id);
  expect(await engine.ok("run", "--rm", "--network", "none", `${plain}/two/three:x`, "echo", "runs")).toBe(
    "runs",
  );
  const manifest = JSON.parse(await engine.ok("manifest", "inspect", `${plain}/one`));
  expect(manifest.config.digest).toBe(id);
});

test("what refers to an image is listed under its tag where the registry has no list of its own", async () => {
  for (const name of ["signed", "signed-copy"]) {
    await engine.ok("tag", "busybox", `${plain}/${name}:base`);
    await engine.ok("push", "-q", `${plain}/${name}:base`);
  }
  const url = `http://${plain}/v2/signed/manifests`;
  const base = JSON.parse(await engine.ok("manifest", "inspect", "--raw", `${plain}/signed:base`));
  const index = await engine.ok("image", "inspect", "-f", "{{json .RepoDigests}}", "busybox");
  const digest = /signed@(sha256:\w+)/.exec(index)?.[1];
  const type = "application/vnd.oci.image.manifest.v1+json";
  const signature = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    artifactType: "a/signature",
    config: { ...base.config, mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: base.layers.map((layer: object) => ({
      ...layer,
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    })),
    subject: { mediaType: base.mediaType, digest, size: 1 },
  });
  const put = [
    "curl",
    "-fsS",
    "-X",
    "PUT",
    "-H",
    `Content-Type: ${type}`,
    "-d",
    signature,
    `${url}/signature`,
  ];
  expect((await engine.run(put)).stderr).toBe("");
  await engine.ok("pull", "-q", `${plain}/signed:signature`);
  await engine.ok("tag", `${plain}/signed:signature`, `${plain}/signed-copy:signature`);
  for (let times = 0; times < 2; times++) await engine.ok("push", "-q", `${plain}/signed-copy:signature`);
  const copy = `${plain}/signed-copy:base`;
  const referrers = await engine.ok("manifest", "referrers", "--format", "{{.ArtifactType}}", copy);
  expect(referrers.trim()).toBe("a/signature");
});

test("a password is asked for, kept by login, and forgotten by logout", async () => {
  const config = join(folder, "config");
  await mkdir(config, { recursive: true });
  await engine.ok("tag", "busybox", `${locked}/private`);
  const login = (password: string) =>
    engine.run([berth, "--config", config, "login", "-u", "me", "--password-stdin", locked], {
      input: password,
    });

  expect((await login("wrong")).stderr).toContain("401 Unauthorized");
  const refused = await withConfig(config, "push", "-q", `${locked}/private`);
  expect([refused.code, refused.stderr]).toEqual([1, "no basic auth credentials\n"]);
  const done = await login("secret\n");
  expect([done.code, done.stdout]).toEqual([0, "Login Succeeded\n"]);
  expect((await withConfig(config, "push", "-q", `${locked}/private`)).stderr).toBe("");
  await engine.ok("rmi", `${locked}/private`);
  expect((await withConfig(config, "pull", "-q", `${locked}/private`)).stdout).toBe(
    `${locked}/private:latest\n`,
  );
  await withConfig(config, "logout", locked);
  expect((await withConfig(config, "pull", `${locked}/private`)).stderr).toContain(
    "no basic auth credentials",
  );
});

test("a credential helper keeps the password in place of the configuration", async () => {
  const config = join(folder, "helped");
  await mkdir(config, { recursive: true });
  await writeFile(join(config, "config.json"), JSON.stringify({ credHelpers: { [locked]: "test" } }));
  const program = join(config, "docker-credential-test");
  const kept = join(config, "kept");
  await writeFile(
    program,
    `#!/bin/sh\ncase $1 in\n store) cat >${kept} ;;\n get) cat >/dev/null; cat ${kept} ;;\n erase) cat >/dev/null; rm -f ${kept} ;;\nesac\n`,
    { mode: 0o755 },
  );
  const path = { PATH: `${config}:${process.env["PATH"]}`, DOCKER_HOST: engine.host };
  const call = (args: string[], input?: string) =>
    run(engine.inNetwork([berth, "--config", config, ...args]), {
      env: path,
      ...(input === undefined ? {} : { input }),
    });
  const done = await call(["login", "-u", "me", "--password-stdin", locked], "secret");
  expect([done.code, done.stderr]).toEqual([0, ""]);
  expect(await Bun.file(join(config, "config.json")).text()).not.toContain("secret");
  expect((await call(["pull", "-q", `${locked}/private`])).code).toBe(0);
  await call(["logout", locked]);
  expect(existsSync(kept)).toBe(false);
});

test("an unverified certificate is refused until its authority is known", async () => {
  // loopback needs no verified certificate: another address of this network namespace does
  const strict = "10.99.99.1:5008";
  const address = "10.99.99.1";
  const certificates = `/etc/docker/certs.d/${strict}`;
  const registry = await startRegistry(engine, { port: 5008, tls: true, address });
  registries.push(registry);
  const refused = await engine.berth("pull", `${strict}/x`);
  expect(refused.stderr).toContain("x509: certificate signed by unknown authority");
  try {
    await mkdir(certificates, { recursive: true });
    await Bun.write(join(certificates, "ca.crt"), Bun.file(registry.authority));
    expect((await engine.berth("pull", `${strict}/x`)).stderr).toContain("manifest unknown");
  } finally {
    await rm(certificates, { recursive: true, force: true });
  }
});

test("a mirror serves what the origin has", async () => {
  const mirrored = await startEngine({
    beside: engine,
    flags: ["--registry-mirror", `${plain}=http://127.0.0.1:5007`, "--bip", "172.29.0.1/16"],
  });
  try {
    expect(await mirrored.ok("pull", "-q", `${plain}/one`)).toBe(`${plain}/one:latest`);
    const stored = join(registries[2]?.folder ?? "", "data/docker/registry/v2/repositories");
    expect(readdirSync(stored)).toContain("one");
  } finally {
    await mirrored.destroy();
  }
});

test("a pull that is killed goes on where it stopped, and shows no half image", async () => {
  const name = `${plain}/killed`;
  await importFile(name, bytes(60_000_000));
  await engine.ok("push", "-q", name);
  await engine.ok("rmi", name);
  const partials = join(engine.home, "data/content/partial");
  const largest = (): number =>
    Math.max(0, ...readdirSync(partials).map((each) => Bun.file(join(partials, each)).size));
  // a quick pull may be over before it is seen: then another
  while (largest() < 5_000_000) {
    const child = Bun.spawn(engine.inNetwork([berth, "pull", name]), {
      env: { ...process.env, DOCKER_HOST: engine.host },
      stdout: "ignore",
      stderr: "ignore",
    });
    while (largest() < 5_000_000 && child.exitCode === null) await Bun.sleep(1);
    await engine.stop("SIGKILL");
    await child.exited;
    if (largest() >= 5_000_000) break;
    await engine.start();
    await engine.berth("rmi", name);
  }
  const [kept = ""] = readdirSync(partials);
  const { size } = Bun.file(join(partials, kept));
  expect(size).toBeGreaterThanOrEqual(5_000_000);
  await engine.start();
  expect((await engine.berth("image", "inspect", name)).code).toBe(1);
  await engine.ok("pull", "-q", name);
  expect(readdirSync(partials)).toEqual([]);
  const blob = join(
    registries[0]?.folder ?? "",
    "data/docker/registry/v2/blobs/sha256",
    kept.slice(0, 2),
    kept,
    "data",
  );
  const answers = ((await registries[0]?.accesses()) ?? []).filter((line) =>
    line.includes(`GET /v2/killed/blobs/sha256:${kept}`),
  );
  // 206 = a part: all that was not here, and nothing twice
  expect(answers.at(-1)).toContain(`" 206 ${Bun.file(blob).size - size} `);
  expect(await engine.ok("run", "--rm", "--network", "none", "-v", "/:/host:ro", "busybox", "true")).toBe("");
  await engine.ok("rmi", name);
});

test("what a broken pull brought is kept for its next try, and let go of some days later", async () => {
  const name = `${plain}/broken`;
  const context = join(folder, "broken");
  await mkdir(context);
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY one /\nCOPY two /\n");
  for (const each of ["one", "two"]) await writeFile(join(context, each), bytes(100_000));
  await engine.ok("build", "-q", "-t", name, context);
  await engine.ok("push", "-q", name);
  // one that is given up is there for a moment under a temporary name
  const layers = (): number =>
    readdirSync(join(engine.home, "data/layers")).filter((each) => !each.startsWith("tmp-")).length;
  const { layers: blobs } = JSON.parse(await engine.ok("manifest", "inspect", name));
  const blob = blobs[1].digest.slice("sha256:".length);
  const stored = join(registries[0]?.folder ?? "", "data/docker/registry/v2/blobs/sha256");
  await rm(join(stored, blob.slice(0, 2), blob), { recursive: true });
  await engine.ok("rmi", name);
  await engine.ok("builder", "prune", "-af");
  const before = layers();
  while (layers() === before) expect((await engine.berth("pull", name)).code).toBe(1); // the other layer may be quicker to fail

  await engine.stop("SIGTERM");
  await engine.start();
  expect(layers()).toBe(before + 1);
  await engine.stop("SIGTERM");
  const state = new Database(join(engine.home, "data/state.db"));
  state.run("UPDATE layers SET created_at = 0");
  state.close();
  await engine.start();
  while (layers() > before) await Bun.sleep(20);
  expect(await engine.ok("run", "--rm", "--network", "none", "busybox", "echo", "here")).toBe("here");
});

test("a full disk is one clear error, and the next pull works", async () => {
  const root = join(folder, "small");
  await mkdir(root);
  const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", root]);
  if (mounted.code !== 0) throw new Error(mounted.stderr);
  const name = `${plain}/large`;
  await importFile(name, Buffer.alloc(150_000_000, "bomb"));
  await engine.ok("push", "-q", name);
  await engine.ok("rmi", name);
  const small = await startEngine({
    beside: engine,
    flags: ["--data-root", join(root, "data"), "--bip", "172.30.0.1/16"],
  });
  try {
    const failed = await small.berth("pull", name);
    expect(failed.code).toBe(1);
    expect(failed.stderr.trim().split("\n")).toHaveLength(1);
    expect(failed.stderr).toMatch(/no space left|are free or allowed/);
    expect(await small.ok("images", "-q")).toBe("");
    expect(await small.ok("pull", "-q", `${plain}/one`)).toBe(`${plain}/one:latest`);
  } finally {
    await small.destroy();
    await run(["umount", "-l", root]);
  }
});
