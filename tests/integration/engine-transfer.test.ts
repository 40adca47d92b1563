import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { sha256 } from "../../src/lib/image/digest.ts";
import { decompress } from "../../src/system/compression/decompress.ts";
import { berth, type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";

/** Images from one engine to another over ssh; here ssh is a script that runs the command on the spot. */
setDefaultTimeout(120_000);

let here: TestEngine;
let there: TestEngine;
const folder = mkdtempSync(join(tmpdir(), "berth-transfer-"));

const inspect = ["image", "inspect", "-f", "{{.Id}} {{json .RootFS}} {{json .Config}}"];
const call = (...args: string[]): Promise<Outcome> =>
  run([berth, ...args], { env: { DOCKER_HOST: here.host, PATH: `${folder}:${process.env["PATH"]}` } });

beforeAll(async () => {
  [here, there] = await Promise.all([startEngine({ images: ["busybox"] }), startEngine()]);
  const script = `#!/bin/sh
while [ "$1" != "--" ]; do shift; done
host=$2 program=$3
shift 3
export DOCKER_HOST=${there.host}
cut() { dd bs=4096 count=$1 status=none; }
case $host in
far) [ "$program" = berth ] && exec ${berth} "$@" ;;
far-without) echo "sh: 1: berth: not found" >&2; exit 127 ;;
far-stopped) DOCKER_HOST=unix://${folder}/none exec ${berth} "$@" ;;
far-cut-there) cut 20 | ${berth} "$@"; echo "Connection to $host closed by remote host." >&2; exit 255 ;;
far-often-there) cut 1000 | ${berth} "$@"; exit 255 ;;
far-often-back) ${berth} "$@" | cut 1000; exit 255 ;;
far-cut-back) ${berth} "$@" | cut 20; echo "Connection to $host closed by remote host." >&2; exit 255 ;;
*) echo "no route to $host" >&2; exit 255 ;;
esac
`;
  writeFileSync(join(folder, "ssh"), script);
  chmodSync(join(folder, "ssh"), 0o755);
  await here.ok("run", "--name", "making", "busybox", "sh", "-c", "dd if=/dev/urandom of=/big bs=1M count=3");
  await here.ok("commit", "making", "deep/made:v1");
  await here.ok("rm", "making");
});

afterAll(async () => {
  await Promise.all([here.destroy(), there.destroy()]);
  rmSync(folder, { recursive: true, force: true });
});

test("a push sends all layers the first time, and then only what is missing", async () => {
  const first = await call("push", "ssh://far/busybox");
  expect([first.code, first.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^1 layer, 0 there already, 1 to send\n\w{12}: Waiting\n\w{12}: Sent\nbusybox:latest: [\d.]+[kM]B sent\n$/,
    ),
  ]);
  const second = await call("push", "ssh://somebody@far:2222/deep/made:v1");
  expect(second.stdout).toMatch(
    /^2 layers, 1 there already, 1 to send\n\w{12}: Waiting\n\w{12}: Sent\ndeep\/made:v1: 3\.\d+MB sent\n$/,
  );
  const third = await call("push", "ssh://far/deep/made:v1");
  expect(third.stdout).toMatch(/^2 layers, 2 there already, 0 to send\ndeep\/made:v1: [\d.]+kB sent\n$/);
  for (const name of ["busybox", "deep/made:v1"])
    expect(await there.ok(...inspect, name)).toBe(await here.ok(...inspect, name));
  expect(await there.ok("run", "--rm", "deep/made:v1", "stat", "-c", "%s", "/big")).toBe(String(3 << 20));
});

test("a pull brings an image back", async () => {
  const before = await here.ok(...inspect, "deep/made:v1");
  await here.ok("rmi", "deep/made:v1");
  expect((await call("pull", "-q", "ssh://far/deep/made:v1")).stdout).toBe("ssh://far/deep/made:v1\n");
  expect(await here.ok(...inspect, "deep/made:v1")).toBe(before);
});

test("what cannot be sent says why", async () => {
  const missing = await call("push", "ssh://far/none:1");
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("No such image: none:1")]);
  const nameless = await call("pull", "ssh://far");
  expect([nameless.code, nameless.stderr]).toEqual([1, expect.stringContaining("is not ssh://HOST/NAME")]);
});

test("a machine that cannot be reached, has no berth or no engine is one sentence", async () => {
  const said = [
    ["nowhere", "cannot reach ssh://nowhere: no route to nowhere\n"],
    ["far-without", "ssh://far-without has no berth: sh: 1: berth: not found\n"],
    ["far-stopped", "no engine answers at ssh://far-stopped: Failed to connect\n"],
  ];
  for (const [host, sentence] of said)
    for (const command of ["push", "pull"])
      expect(await call(command, `ssh://${host}/busybox`)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: sentence,
      });
  const listed = await call("-H", "ssh://nowhere", "ps");
  expect([listed.code, listed.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^error during connect: Get "http:\/\/docker\.example\.com\/v[\d.]+\/containers\/json": command \[ssh .* has exited with exit status 255, .*: stderr=no route to nowhere\n\n?$/,
    ),
  ]);
});

/** An image of a layer of random bytes. */
async function make(name: string, mebibytes: number): Promise<void> {
  await here.ok(
    "run",
    "--name",
    name,
    "busybox",
    "dd",
    "if=/dev/urandom",
    "of=/more",
    "bs=1M",
    `count=${mebibytes}`,
  );
  await here.ok("commit", name, name);
  await here.ok("rm", name);
}

test("a transfer that only breaks gives up in two sentences, leaves no image, and keeps the name's own", async () => {
  await make("cut", 3);
  expect(await call("push", "ssh://far-cut-there/cut")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^cut:latest: the transfer broke off after [\d.]+[kM]B: .+\nWhat was sent is kept: the same command goes on where it stopped\.\n$/,
    ),
  });
  expect((await there.berth("image", "inspect", "cut")).code).toBe(1);
  expect((await call("push", "-q", "ssh://far/cut")).code).toBe(0);
});

test("a connection that breaks again and again brings an image in the end, both ways", async () => {
  await make("often", 12);
  const pushed = await call("push", "ssh://far-often-there/often");
  expect(pushed).toMatchObject({ code: 0, stderr: "" });
  expect(pushed.stdout).toMatch(/going on where it stopped\n(.*\n)*often:latest: [\d.]+MB sent\n$/);
  const before = await here.ok(...inspect, "often");
  expect(await there.ok(...inspect, "often")).toBe(before);
  await here.ok("rmi", "often");
  const pulled = await call("pull", "ssh://far-often-back/often");
  expect(pulled).toMatchObject({ code: 0, stderr: "" });
  expect(await here.ok(...inspect, "often")).toBe(before);
});

test("an engine that is killed while a layer comes goes on where it stopped", async () => {
  await make("killed", 64);
  const partials = join(there.home, "data/content/partial");
  const kept = (): number =>
    readdirSync(partials).reduce(
      (sum, name) => sum + (statSync(join(partials, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  let over = false;
  const work = call("push", "ssh://far/killed").finally(() => {
    over = true;
  });
  while (kept() < 1 << 20 && !over) await Bun.sleep(2);
  await there.stop("SIGKILL");
  await there.start();
  const said = await work;
  // it may have given up before the engine was there again, on a slow machine
  if (said.code !== 0) expect((await call("push", "ssh://far/killed")).code).toBe(0);
  expect(await there.ok(...inspect, "killed")).toBe(await here.ok(...inspect, "killed"));
});

test("a name that another image has there is taken from it, and that is told", async () => {
  await make("theirs", 1);
  await there.ok("tag", "busybox", "theirs");
  expect((await call("push", "ssh://far/theirs")).stdout).toContain(
    "The image theirs:latest already exists, renaming the old one with ID sha256:",
  );
  expect(await there.ok(...inspect, "theirs")).toBe(await here.ok(...inspect, "theirs"));
});

test("options of registries are refused, or hold", async () => {
  expect(await call("push", "-a", "ssh://far/busybox")).toMatchObject({
    code: 1,
    stderr: "--all-tags/-a is for registries: name one image of an engine\n",
  });
  const other = await call("push", "--platform", "linux/s390x", "ssh://far/busybox");
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringContaining("does not match the specified platform"),
  ]);
});

test("layers are given from a byte on, and taken only where they go on", async () => {
  const [layer] = JSON.parse(
    await here.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", "busybox"),
  ) as [string];
  const [state] = (await (await here.api(`/berth/layers?layers=${layer}`)).json()) as [{ size: number }];
  const bytes = async (from: number): Promise<Buffer> =>
    Buffer.concat(
      await Array.fromAsync(
        decompress(
          (await here.api(`/berth/layers/${layer}?from=${from}`))
            .body as unknown as AsyncIterable<Uint8Array>,
        ),
      ),
    );
  const whole = await bytes(0);
  expect([whole.length, sha256(whole)]).toEqual([state.size, layer]);
  expect((await bytes(1_500_001)).equals(whole.subarray(1_500_001))).toBeTrue();
  const put = async (digest: string, from: number): Promise<[number, string]> => {
    const body = zstdCompressSync(Buffer.alloc(100));
    const answer = await here.api(`/berth/layers/${digest}?from=${from}&size=200`, { method: "PUT", body });
    return [answer.status, await answer.text()];
  };
  const none = `sha256:${"0".repeat(64)}`;
  expect(await put(none, 5)).toEqual([409, expect.stringContaining("is here up to byte 0, not 5")]);
  expect(await put(none, 0)).toEqual([503, expect.stringContaining("broke off after 100 bytes")]);
  const kept = async (): Promise<unknown> => (await here.api(`/berth/layers?layers=${none}`)).json();
  expect(await kept()).toEqual([{ digest: none, kept: 100 }]);
  // whole, and wrong: it is begun again
  expect(await put(none, 100)).toEqual([503, expect.stringContaining("broke off after 0 bytes")]);
  expect(await kept()).toEqual([{ digest: none, kept: 0 }]);
  expect((await put("sha256:..", 0))[0]).toBe(400);
  expect((await here.api(`/berth/layers/${none}`)).status).toBe(404);
});

test("an archive without a layer loads only where that layer is", async () => {
  const layers = JSON.parse(
    await here.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", "deep/made:v1"),
  ) as string[];
  const archive = new Uint8Array(
    await (await here.api(`/images/deep/made:v1/get?without=${layers[1]}`)).arrayBuffer(),
  );
  const load = async (engine: TestEngine): Promise<string> =>
    (await engine.api("/images/load?quiet=1", { method: "POST", body: archive })).text();
  expect(await load(there)).toContain("Loaded image: deep/made:v1");
  await there.ok("rmi", "deep/made:v1");
  expect(await load(there)).toContain("no such file or directory");
});
