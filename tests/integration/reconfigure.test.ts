/** `update` of what Docker fixes at create: ports live, environment and mounts by a restart on the same files. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

const serve = ["sh", "-c", "mkdir -p /www; echo page > /www/x; exec httpd -f -h /www"];
const get = async (port: number): Promise<string> =>
  (await engine.run(["curl", "-s", "-m", "10", `http://127.0.0.1:${port}/x`])).stdout;

test("ports come and go while the container runs, and stay so after a restart of both", async () => {
  await engine.ok("run", "-d", "--name", "web", "-p", "8080:80", "busybox", ...serve);
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "web");
  expect(
    await until(
      () => get(8080),
      (said) => said !== "",
    ),
  ).toBe("page\n");
  await engine.ok("update", "--publish-add", "8081:80", "web");
  expect([await get(8080), await get(8081)]).toEqual(["page\n", "page\n"]);
  expect(await engine.ok("port", "web", "80")).toContain("0.0.0.0:8081");
  await engine.ok("run", "-d", "--name", "other", "-p", "8082:80", "busybox", "sleep", "300");
  const taken = await engine.berth("update", "--publish-add", "8082:80", "web");
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain("port is already allocated");
  expect(await engine.ok("inspect", "-f", '{{len (index .HostConfig.PortBindings "80/tcp")}}', "web")).toBe(
    "2",
  );
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await get(8081)).toBe("page\n");
  await engine.ok("update", "--publish-rm", "80", "--publish-add", "8083:8000", "web");
  expect([await get(8080), await get(8081)]).toEqual(["", ""]);
  expect(await engine.ok("inspect", "-f", "{{.State.Pid}}", "web")).toBe(pid);
  expect(await engine.ok("port", "web")).toContain("8000/tcp -> 0.0.0.0:8083");
  const unknown = await engine.berth("update", "--publish-rm", "80", "web");
  expect(unknown.stderr).toContain("port 80/tcp is not published");
  await engine.ok("rm", "-f", "web", "other");
}, 120_000);

test("environment and mounts change by a restart on the same files; a stopped container waits for its start", async () => {
  const script = "echo up >> /ups; sleep 300";
  await engine.ok(
    "run",
    "-d",
    "-t",
    "--name",
    "app",
    "--stop-timeout",
    "0",
    "-e",
    "A=1",
    "-e",
    "B=2",
    "-v",
    "old:/old",
    "busybox",
    "sh",
    "-c",
    script,
  );
  await engine.ok("exec", "app", "touch", "/old/file");
  await engine.ok(
    "update",
    "--env-add",
    "A=3",
    "--env-rm",
    "B",
    "--mount-rm",
    "/old",
    "--mount-add",
    "type=volume,source=old,target=/new",
    "app",
  );
  expect(await engine.ok("exec", "app", "sh", "-c", "echo $A-$B; ls /new; wc -l < /ups")).toBe("3-\nfile\n2");
  expect((await engine.ok("exec", "app", "ls", "-A", "/old")).trim()).toBe("");
  expect(
    await engine.ok("inspect", "-f", "{{range .Mounts}}{{.Destination}} {{end}}{{.HostConfig.Binds}}", "app"),
  ).toBe("/new []");
  await engine.ok("stop", "-t0", "app");
  await engine.ok("update", "--env-add", "A=4", "-c", "512", "app");
  expect(await engine.ok("inspect", "-f", "{{.State.Status}} {{.HostConfig.CpuShares}}", "app")).toBe(
    "exited 512",
  );
  await engine.ok("start", "app");
  expect(await engine.ok("exec", "app", "sh", "-c", "echo $A")).toBe("4");
  const twice = await engine.berth("update", "--mount-add", "type=tmpfs,target=/new", "app");
  expect(twice.stderr).toContain("Duplicate mount point: /new");
  // nobody holds what was taken out: neither the container, nor what is left of it
  await engine.ok("update", "--mount-rm", "/new", "app");
  await engine.ok("volume", "rm", "old");
}, 120_000);
