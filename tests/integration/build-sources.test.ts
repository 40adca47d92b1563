/** Contexts from elsewhere than a folder of this machine: git, URLs, archives and Dockerfiles on stdin, by the road of folders. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { berth, type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue } from "../harness/until.ts";

setDefaultTimeout(60_000);

const port = 8077;
const url = (path: string): string => `http://127.0.0.1:${port}/${path}`;
const dockerfile = [
  "FROM busybox",
  "COPY f /f",
  "RUN --mount=type=secret,id=s cat /run/secrets/s /f >/both",
  "",
].join("\n");

let engine: TestEngine;
let server: ReturnType<typeof Bun.spawn> | undefined;
let folder = "";
let tar = Buffer.alloc(0);

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-build-sources-"));
  const context = join(folder, "context");
  await mkdir(join(context, "sub"), { recursive: true });
  await mkdir(join(folder, "www"));
  for (const [name, text] of [
    ["f", "top\n"],
    ["sub/f", "sub\n"],
    ["Dockerfile", dockerfile],
    ["sub/Other", dockerfile],
    [".dockerignore", "ignored\n"],
    ["ignored", "x"],
  ])
    await writeFile(join(context, name ?? ""), text ?? "");
  await writeFile(join(folder, "secret"), "s3cret\n");
  const archive = join(folder, "www/c.tar");
  await ok(run(["tar", "-C", context, "-cf", archive, "."]));
  tar = await readFile(archive);
  const git = (...args: string[]): Promise<string> =>
    ok(run(["git", "-C", context, "-c", "user.name=a", "-c", "user.email=a@b", ...args]));
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "x"],
  ])
    await git(...args);
  const bare = join(folder, "www/r.git");
  await ok(run(["git", "clone", "-q", "--bare", context, bare]));
  await ok(run(["git", "-C", bare, "update-server-info"]));
  await writeFile(join(folder, "www/Dockerfile"), dockerfile);
  await writeFile(join(folder, "www/Bad"), "FROM busybox\nRUN exit 3\n");
  const serve = ["python3", "-m", "http.server", "-d", join(folder, "www"), "-b", "127.0.0.1", String(port)];
  server = Bun.spawn(engine.inNetwork(serve), { stdout: "ignore", stderr: "ignore" });
  const answers = async () => (await run(engine.inNetwork(["curl", "-sf", url("Dockerfile")]))).code === 0;
  if (!(await comesTrue(answers))) throw new Error("the web server did not start");
});
afterAll(async () => {
  server?.kill("SIGKILL");
  await server?.exited;
  await engine?.destroy();
  await rm(folder, { recursive: true, force: true });
});

async function ok(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
  return stdout + stderr;
}

const secret = (): string[] => ["--progress=plain", "--secret", `id=s,src=${join(folder, "secret")}`];
const build = (args: string[], input?: string | Uint8Array): Promise<Outcome> =>
  engine.run([berth, "build", ...secret(), "-t", "made:1", ...args], input === undefined ? {} : { input });
const shown = (): Promise<string> => engine.ok("run", "--rm", "--network", "none", "made:1", "cat", "/both");

/** The engine has answered before it deletes. */
async function nothingLeft(): Promise<void> {
  const left = (): Promise<string[]> => readdir(join(engine.home, "data/build/scratch"));
  if (!(await comesTrue(async () => (await left()).length === 0))) expect(await left()).toEqual([]);
}

describe("berth build", () => {
  test("takes an archive on stdin, however it is packed, with secrets and reasons", async () => {
    const plain = join(folder, "www/c.tar");
    await ok(run(["sh", "-ec", 'xz -c "$0" >"$0.xz"; bzip2 -c "$0" >"$0.bz2"', plain]));
    const packed = [
      tar,
      gzipSync(tar),
      zstdCompressSync(tar),
      await readFile(`${plain}.xz`),
      await readFile(`${plain}.bz2`),
    ];
    for (const [at, bytes] of packed.entries()) {
      const text = await ok(build(["--explain", "-"], bytes));
      expect(text).toContain("[internal] load remote build context");
      expect(text).toContain("Why each step ran:");
      // of the same contents only the first one runs
      expect([at, /COPY f \/f\n#\d+ CACHED/.test(text)]).toEqual([at, at > 0]);
    }
    expect(await shown()).toBe("s3cret\ntop");
    await nothingLeft();
  });

  test("finds the Dockerfile in the archive, and shows its lines where it fails", async () => {
    await ok(build(["-f", "sub/Other", "-"], tar));
    const missing = await build(["-f", "nope", "-"], tar);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining("failed to read dockerfile: open nope: no such file or directory"),
    ]);
    const bad = await build([url("Bad")]);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining("   2 | >>> RUN exit 3")]);
  });

  test("has the engine fetch archives, repositories and Dockerfiles", async () => {
    await ok(build([url("c.tar")]));
    expect(await shown()).toBe("s3cret\ntop");
    await ok(build(["-f", "Other", `${url("r.git")}#:sub`]));
    expect(await shown()).toBe("s3cret\nsub");
    await ok(build(["-f", url("Dockerfile"), join(folder, "context/sub")]));
    expect(await shown()).toBe("s3cret\nsub");
    await ok(build(["-f", "-", url("c.tar")], dockerfile));
    expect(await shown()).toBe("s3cret\ntop");
    const none = await build([url("none.tar")]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("invalid response status 404")]);
    expect(await ok(build(["--check", url("r.git")]))).toContain("no warnings found");
    await nothingLeft();
  });

  test("says what a repository does not hold, and goes no other way then", async () => {
    const ref = await build([`${url("r.git")}#nope`]);
    expect([ref.code, ref.stderr]).toEqual([
      1,
      expect.stringContaining("failed to solve: repository does not contain ref nope"),
    ]);
    const inside = await build([`${url("r.git")}#:nosub`]);
    expect([inside.code, inside.stderr]).toEqual([
      1,
      expect.stringContaining("failed to solve: failed to open subdir nosub: no such file or directory"),
    ]);
    const file = await build([`${url("r.git")}#:sub/f`]);
    expect(file.stderr).toContain("failed to open subdir sub/f: not a directory");
    await nothingLeft();
  });

  test("asks the helpers for every login they keep where the engine reads the Dockerfile", async () => {
    const helper = `#!/bin/sh\nread server\necho "$server" >>${join(folder, "asked")}\necho credentials not found in native keychain\nexit 1\n`;
    await mkdir(join(folder, "helped"));
    await writeFile(join(folder, "helped/docker-credential-told"), helper, { mode: 0o755 });
    const config = {
      credsStore: "told",
      auths: { "kept.example": {} },
      credHelpers: { "own.example": "told" },
    };
    await writeFile(join(folder, "helped/config.json"), JSON.stringify(config));
    const env = { PATH: `${join(folder, "helped")}:${process.env["PATH"]}` };
    const args = ["-H", engine.host, "--config", join(folder, "helped"), "build", ...secret(), "-"];
    await ok(run([berth, ...args], { input: tar, env }));
    const asked = (await readFile(join(folder, "asked"), "utf8")).trim().split("\n");
    expect(asked.sort()).toEqual(["https://index.docker.io/v1/", "kept.example", "own.example"]);
  });

  test("gives the results anywhere", async () => {
    const archive = join(folder, "out.tar");
    await ok(build(["-o", `type=oci,compression=zstd,dest=${archive}`, "-"], tar));
    expect((await ok(run(["tar", "-xOf", archive, "oci-layout"]))).trim()).toBe(
      '{"imageLayoutVersion":"1.0.0"}',
    );
  });

  test("refuses what is no archive, and leaves nothing of it", async () => {
    const noise = Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), Buffer.alloc(10_000, 0x5a)]);
    expect((await build(["-"], noise)).code).toBe(1);
    expect((await build(["-"], tar.subarray(0, 700))).code).toBe(1);
    await nothingLeft();
  });
});
