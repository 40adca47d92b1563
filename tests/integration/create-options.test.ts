/** Options of create that reach into the kernel or the image: platform, devices by name, security. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, rm } from "node:fs/promises";
import { startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

test("an image of another platform is not found, in Docker's words", async () => {
  const make = (platform: string) =>
    engine.api(`/v1.51/containers/create?platform=${platform}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Image: "busybox" }),
    });
  const other = await make("linux/s390x");
  expect(other.status).toBe(404);
  expect(await other.text()).toContain("does not match the specified platform (linux/s390x)");
  expect((await make("linux")).status).toBe(201);
  expect((await make("a/b/c/d")).status).toBe(400);
});

test("a device by name brings its node, mounts, variables and hooks", async () => {
  const kind = `berth.test/dev${process.pid}`;
  const file = `/var/run/cdi/berth-test-${process.pid}.yaml`;
  await mkdir("/var/run/cdi", { recursive: true });
  await Bun.write(
    file,
    `
cdiVersion: 0.5.0
kind: ${kind}
devices:
  - name: a
    containerEdits:
      env: [DEVICE=a]
      deviceNodes: [{path: /dev/own, hostPath: /dev/null}]
      mounts: [{hostPath: /etc/hostname, containerPath: /own/name, options: [ro]}]
      hooks: [{hookName: createContainer, path: /bin/sh, args: [sh, -c, "touch ${engine.home}/hooked"]}]
`,
  );
  try {
    const script = "echo $DEVICE; echo x > /dev/own && test -c /dev/own && cat /own/name";
    const said = await engine.ok("run", "--rm", "--device", `${kind}=a`, "busybox", "sh", "-c", script);
    expect(said).toBe(`a\n${(await Bun.file("/etc/hostname").text()).trim()}`);
    expect(await Bun.file(`${engine.home}/hooked`).exists()).toBe(true);
    const missing = await engine.berth("run", "--rm", "--device", `${kind}=b`, "busybox", "true");
    expect(missing.code).toBe(125);
    expect(missing.stderr).toContain(`CDI device injection failed: unresolvable CDI devices ${kind}=b`);
    const gpus = await engine.berth("run", "--rm", "--gpus", "all", "busybox", "true");
    expect(gpus.stderr).toContain('could not select device driver "" with capabilities: [[gpu]]');
  } finally {
    await rm(file);
  }
}, 120_000);

test("system paths are unmasked by the client's option, an AppArmor profile is told", async () => {
  const unmasked = await engine.ok(
    "run",
    "--rm",
    "--security-opt",
    "systempaths=unconfined",
    "busybox",
    "grep",
    "-c",
    " /proc",
    "/proc/mounts",
  );
  expect(unmasked).toBe("1");
  await engine.ok("create", "--name", "profiled", "--security-opt", "apparmor=own", "busybox", "true");
  expect(await engine.ok("inspect", "-f", "{{.AppArmorProfile}}", "profiled")).toBe("own");
}, 120_000);

test("a throttle's device must be there", async () => {
  const { code, stderr } = await engine.berth(
    "run",
    "--rm",
    "--device-read-bps",
    "/dev/nope:1mb",
    "busybox",
    "true",
  );
  expect(stderr).toContain("stat /dev/nope: no such file or directory");
  expect(code).toBe(127);
}, 120_000);

test("a container joins another's processes, memory and network, and no longer than that one lives", async () => {
  await engine.ok("run", "-d", "--name", "donor", "--ipc", "shareable", "busybox", "sleep", "4321");
  const joined = ["--pid", "container:donor", "--ipc", "container:donor", "--network", "container:donor"];
  const seen = await engine.ok("run", "--rm", ...joined, "busybox", "sh", "-c", "ps; hostname");
  expect(seen).toContain("sleep 4321");
  expect(seen).toEndWith(await engine.ok("exec", "donor", "hostname"));
  await engine.ok("kill", "donor");
  const { code, stderr } = await engine.berth("run", "--rm", "--pid", "container:donor", "busybox", "true");
  expect(code).toBe(125);
  expect(stderr).toContain("is not running");
}, 120_000);
