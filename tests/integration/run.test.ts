/** The main job, through the real socket with both clients: an image comes in, a container runs from it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

test("run prints what the process wrote and ends with its code", async () => {
  const { code, stdout, stderr } = await engine.berth(
    "run",
    "--rm",
    "busybox",
    "sh",
    "-c",
    "echo out; echo err >&2; exit 7",
  );
  expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
});

test("the stock docker client runs a container too", async () => {
  if (!Bun.which("docker")) return console.log("SKIPPED: no docker client on the PATH");
  const { code, stdout } = await engine.docker("run", "--rm", "busybox", "echo", "hello");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "hello\n" });
});

test("standard input reaches the process, and its end too", async () => {
  const input = "line\n".repeat(20_000);
  const { code, stdout } = await engine.run([berth, "run", "--rm", "-i", "busybox", "wc", "-c"], {
    input,
  });
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "100000" });
});

test("20 MB of binary output arrive whole and in order", async () => {
  const script = "head -c 20000000 /dev/urandom > /tmp/x; cat /tmp/x; md5sum < /tmp/x >&2";
  const child = Bun.spawn(engine.inNetwork([berth, "run", "--rm", "busybox", "sh", "-c", script]), {
    env: { ...process.env, DOCKER_HOST: engine.host },
    stdout: "pipe",
    stderr: "pipe",
  });
  const hash = new Bun.CryptoHasher("md5");
  const [said] = await Promise.all([
    new Response(child.stderr).text(),
    (async () => {
      for await (const chunk of child.stdout) hash.update(chunk);
    })(),
  ]);
  expect(said.split(" ")[0]).toBe(hash.digest("hex"));
});

test("three interrupts end a client whose process ignores them, and the process goes on", async () => {
  const words = ["run", "--rm", "--name", "deaf", "busybox", "sleep", "1000"];
  const child = Bun.spawn(engine.inNetwork([berth, "-H", engine.host, ...words]), { stderr: "pipe" });
  const running = async (): Promise<boolean> => (await engine.berth("top", "deaf")).code === 0;
  expect(await comesTrue(running)).toBe(true);
  const interrupt = async (): Promise<boolean> => {
    child.kill("SIGINT");
    return child.exitCode !== null;
  };
  expect(await comesTrue(interrupt)).toBe(true);
  expect(await child.exited).toBe(1);
  expect(await new Response(child.stderr).text()).toContain("got 3 SIGTERM/SIGINTs, forcefully exiting");
  expect(await running()).toBe(true);
  await engine.ok("rm", "-f", "deaf");
});

test("a terminal is a terminal, of the size it was given", async () => {
  const script = 'stty rows 33 cols 101; "$@" run --rm -it busybox sh -c "sleep 0.3; stty size; tty"';
  const { stdout } = await engine.run(["script", "-qec", `sh -c '${script}' sh ${berth}`, "/dev/null"]);
  expect(stdout.replaceAll("\r", "")).toContain("33 101\n/dev/pts/0\n");
});

test("a published port answers on the host's loopback of both families and on another address", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "web",
    "-p",
    "18081:80",
    "busybox",
    "sh",
    "-c",
    "echo hi > /var/www/i; httpd -f -h /var/www",
  );
  for (const host of ["127.0.0.1", "[::1]", "10.99.99.1"]) {
    const answer = await engine.run([
      "curl",
      "-sS",
      "--retry",
      "5",
      "--retry-connrefused",
      "--max-time",
      "5",
      `http://${host}:18081/i`,
    ]);
    expect({ host, ...answer }).toEqual({ host, code: 0, stdout: "hi\n", stderr: "" });
  }
  const other = await engine.berth("run", "--rm", "busybox", "wget", "-qO-", "http://10.99.99.1:18081/i");
  expect(other.stdout).toBe("hi\n");
  await engine.ok("rm", "-f", "web");
});

test("limits reach the kernel", async () => {
  const script =
    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max";
  expect(await engine.ok("run", "--rm", "--memory", "64m", "busybox", "sh", "-c", script)).toBe("67108864");
  const limited = await engine.berth(
    "run",
    "--rm",
    "--memory",
    "32m",
    "busybox",
    "sh",
    "-c",
    "tail /dev/zero",
  );
  expect(limited.code).toBe(137);
  expect(await engine.ok("run", "--rm", "--ulimit", "nofile=77:88", "busybox", "sh", "-c", "ulimit -n")).toBe(
    "77",
  );
});

test("data in a named volume outlives its container", async () => {
  await engine.ok("run", "--rm", "-v", "kept:/data", "busybox", "sh", "-c", "echo kept > /data/f");
  expect(await engine.ok("run", "--rm", "-v", "kept:/data:ro", "busybox", "cat", "/data/f")).toBe("kept");
  await engine.ok("volume", "rm", "kept");
});

test("bad requests get one sentence and the documented exit code", async () => {
  const cases: [string[], number, RegExp][] = [
    [["run", "--rm", "busybox", "nosuchcommand"], 127, /executable file not found in \$PATH/],
    [["run", "--rm", "busybox", "/etc"], 126, /permission denied|is a directory/],
    [["run", "--rm", "-u", "nobodyhere", "busybox", "id"], 125, /unable to find user nobodyhere/],
    [["run", "--name", "a b", "busybox"], 125, /Invalid container name \(a b\)/],
    [["run", "--memory", "1k", "busybox"], 125, /Minimum memory limit allowed is 6MB/],
    [["exec", "nobody", "true"], 1, /No such container: nobody/],
    [["rmi", "nosuchimage"], 1, /No such image: nosuchimage:latest/],
    [["run", "--rm", "-v", "/", "busybox", "true"], 125, /mounting "\S+" to rootfs at "\/"/],
    [["run", "--network", "host", "--sysctl", "net.x=1", "busybox"], 125, /not allowed in host network/],
    [["stop", ""], 1, /^invalid container name or ID: value is empty\n$/],
    [["logs", ""], 1, /^invalid container name or ID: value is empty\n$/],
    [["exec", "-it", "nobody", "sh"], 1, /No such container: nobody/],
    [["history", ""], 1, /page not found/],
    [["export", "-o", "/dev/null", "x"], 1, /cannot write to a character device file/],
  ];
  for (const [args, code, text] of cases) {
    const outcome = await engine.berth(...args);
    expect({ args, code: outcome.code }).toEqual({ args, code });
    expect(outcome.stderr).toMatch(text);
  }
  expect(await engine.ok("ps", "-aq", "--filter", "status=running")).toBe("");
});

test("a script is told the id of a container that could not start", async () => {
  const { code, stdout } = await engine.berth("run", "-d", "busybox", "nosuchcommand");
  expect(code).toBe(127);
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  await engine.ok("rm", stdout.trim());
});

test("an empty name fails, and what follows it is done all the same", async () => {
  await engine.ok("run", "-d", "--name", "named", "busybox", "sleep", "100");
  const { code, stdout } = await engine.berth("kill", "", "named");
  expect([code, stdout]).toEqual([1, "named\n"]);
  await engine.ok("rm", "named");
});

test("what is left of a log's last line has its time and details too", async () => {
  const options = ["-l", "a=x y", "--log-opt", "labels=a", "--log-opt", "tag={{.Name}}/t"];
  await engine.ok("run", "--name", "unended", ...options, "busybox", "printf", "one\\ntwo");
  const { stdout } = await engine.berth("logs", "-t", "--details", "unended");
  expect(stdout).toMatch(/^\S+Z a=x\+y,tag=unended%2Ft one\n\S+Z a=x\+y,tag=unended%2Ft two$/);
  await engine.ok("rm", "unended");
});
