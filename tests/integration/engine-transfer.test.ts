import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";

/** Images from one engine to another over ssh; here ssh is a script that runs the command on the spot. */
setDefaultTimeout(60_000);

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
cut() { dd bs=4096 count=20 status=none; }
case $host in
far) [ "$program" = berth ] && exec ${berth} "$@" ;;
far-without) echo "sh: 1: berth: not found" >&2; exit 127 ;;
far-stopped) DOCKER_HOST=unix://${folder}/none exec ${berth} "$@" ;;
far-cut-there) cut | ${berth} "$@"; echo "Connection to $host closed by remote host." >&2; exit 255 ;;
far-cut-back) ${berth} "$@" | cut; echo "Connection to $host closed by remote host." >&2; exit 255 ;;
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
    expect.stringMatching(/^1 layers, 0 there already, 1 to send\nbusybox:latest: [\d.]+MB sent\n$/),
  ]);
  const second = await call("push", "ssh://somebody@far:2222/deep/made:v1");
  expect(second.stdout).toMatch(/^2 layers, 1 there already, 1 to send\ndeep\/made:v1: 3\.\d+MB sent\n$/);
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

test("a transfer that is cut is one sentence, leaves no image, and the next goes well", async () => {
  await call("push", "ssh://far/deep/made:v1");
  const kept = await there.ok("image", "inspect", "-f", "{{.Id}}", "deep/made:v1");
  await here.ok("run", "--name", "more", "busybox", "sh", "-c", "dd if=/dev/urandom of=/more bs=1M count=3");
  await here.ok("commit", "more", "cut");
  await here.ok("rm", "more");
  const pushed = await call("push", "ssh://far-cut-there/cut");
  expect(pushed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^cut:latest: the transfer broke off after [\d.]+[kM]B: .+\n$/),
  });
  expect((await there.berth("image", "inspect", "cut")).code).toBe(1);
  expect((await call("push", "-q", "ssh://far/cut")).code).toBe(0);
  await here.ok("rmi", "cut");
  expect(await call("pull", "ssh://far-cut-back/cut")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^cut:latest: the transfer broke off after [\d.]+kB: Connection to far-cut-back closed by remote host\.\n$/,
    ),
  });
  expect((await here.berth("image", "inspect", "cut")).code).toBe(1);
  expect((await call("pull", "-q", "ssh://far/cut")).code).toBe(0);
  expect(await there.ok("image", "inspect", "-f", "{{.Id}}", "deep/made:v1")).toBe(kept);
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
