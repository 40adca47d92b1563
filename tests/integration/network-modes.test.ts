/** How networks meet the world: a host beyond the engine's, gateway modes, macvlan, ports that obey INPUT rules. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { run, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
let outside: Bun.Subprocess<"ignore", "pipe">;

/** A host at 10.77.0.2 and fd77::2, whose way to all networks leads through the engine's host. */
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  outside = Bun.spawn(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 300"], {
    stdin: "ignore",
    stdout: "pipe",
  });
  await outside.stdout.getReader().read();
  await sh(`ip link add out0 type veth peer name out1 netns ${outside.pid} && ip link set out0 up
    ip addr add 10.77.0.1/24 dev out0; ip addr add fd77::1/64 dev out0 nodad`);
  await beyond(`ip link set lo up; ip link set out1 up
    ip addr add 10.77.0.2/24 dev out1; ip addr add fd77::2/64 dev out1 nodad
    ip route add default via 10.77.0.1; ip -6 route add default via fd77::1`);
}, 120_000);
afterAll(async () => {
  outside.kill("SIGKILL");
  await engine.destroy();
}, 120_000);

const sh = async (command: string): Promise<string> =>
  (await engine.run(["sh", "-c", command])).stdout.trim();
const beyond = async (command: string): Promise<string> =>
  (await run(["nsenter", `--net=/proc/${outside.pid}/ns/net`, "sh", "-c", command])).stdout.trim();
const inside = async (name: string, command: string): Promise<string> =>
  (await engine.berth("exec", name, "sh", "-c", command)).stdout.trim();

/** The answer at an address, once there is one. */
const answer = (from: (command: string) => Promise<string>, url: string): Promise<string> =>
  until(
    () => from(`curl -s -m 2 -g 'telnet://${url}' </dev/null`),
    (said) => said !== "",
  );
const silent = async (url: string): Promise<boolean> =>
  (await beyond(`curl -s -m 1 -g 'telnet://${url}' </dev/null`)) === "";

/** says who called */
const whoCalls = [
  "busybox",
  "nc",
  "-ll",
  "-p",
  "80",
  "-e",
  "sh",
  "-c",
  "netstat -tn | grep EST | grep -o '[^ ]*:[0-9]* *EST' | sed 's/:[0-9]* *EST//; s/^::ffff://'",
];

test("a caller from outside is seen under its own address, over IPv4 and over IPv6", async () => {
  await engine.ok(
    "network",
    "create",
    "--ipv6",
    "--subnet",
    "10.81.0.0/24",
    "--subnet",
    "fd81::/64",
    "world",
  );
  await engine.ok("run", "-d", "--name", "who", "--network", "world", "-p", "8080:80", ...whoCalls);
  expect(await answer(beyond, "10.77.0.1:8080")).toBe("10.77.0.2");
  expect(await answer(beyond, "[fd77::1]:8080")).toBe("fd77::2");
  // the host's own loopback cannot be answered directly
  expect(await answer(sh, "127.0.0.1:8080")).toBe("10.81.0.1");
  expect(await silent("10.81.0.2:80")).toBe(true);
  expect(await silent("[fd81::2]:80")).toBe(true);
  await engine.ok("rm", "-f", "who");
  await engine.ok("network", "rm", "world");
}, 120_000);

test("an unprotected network lets everything in, a routed one what is published, at the containers' addresses", async () => {
  const mode = (name: string) => ["-o", `com.docker.network.bridge.gateway_mode_ipv4=${name}`];
  await engine.ok("network", "create", "--subnet", "10.82.0.0/24", ...mode("nat-unprotected"), "open");
  await engine.ok("network", "create", "--subnet", "10.83.0.0/24", ...mode("routed"), "routed");
  await engine.ok("run", "-d", "--name", "open1", "--network", "open", ...whoCalls);
  await engine.ok("run", "-d", "--name", "routed1", "--network", "routed", "-p", "80", ...whoCalls);
  await engine.ok("run", "-d", "--name", "routed2", "--network", "routed", ...whoCalls);
  expect(await answer(beyond, "10.82.0.2:80")).toBe("10.77.0.2");
  expect(await answer(beyond, "10.83.0.2:80")).toBe("10.77.0.2");
  expect(await silent("10.83.0.3:80")).toBe(true);
  expect(await engine.ok("port", "routed1")).toContain("80/tcp -> 0.0.0.0:\n");
  await engine.ok("rm", "-f", "open1", "routed1", "routed2");
  await engine.ok("network", "rm", "open", "routed");
}, 120_000);

test("macvlan containers are on the parent's wire, with addresses of their own", async () => {
  await sh("ip link add par0 type veth peer name par1 && ip link set par0 up && ip link set par1 up");
  await sh("ip addr add 10.84.0.1/24 dev par1");
  const made = await engine.berth(
    "network",
    "create",
    "-d",
    "macvlan",
    "--subnet",
    "10.84.0.0/24",
    "-o",
    "parent=par0",
    "wire",
  );
  expect(made.code).toBe(0);
  const started = await engine.berth(
    "run",
    "-d",
    "--name",
    "mac1",
    "--network",
    "wire",
    "busybox",
    "sleep",
    "1000",
  );
  if (/Unknown device type/.test(started.stderr)) {
    console.log("SKIPPED: this kernel has no macvlan");
    await engine.ok("rm", "-f", "mac1");
  } else {
    await engine.ok("run", "-d", "--name", "mac2", "--network", "wire", "busybox", "sleep", "1000");
    expect(
      await inside(
        "mac2",
        "ping -c1 -W2 10.84.0.2 >/dev/null && ping -c1 -W2 10.84.0.1 >/dev/null && echo yes",
      ),
    ).toBe("yes");
    const macs = await sh("ip neigh show dev par1 | wc -l");
    expect(Number(macs)).toBeGreaterThan(0);
    await engine.ok("rm", "-f", "mac1", "mac2");
  }
  await engine.ok("network", "rm", "wire");
  // the user's own interface stays
  expect(await sh("ip -o link show par0 | wc -l")).toBe("1");
}, 120_000);

test("ports that obey INPUT rules are shut by a rule there, and served by sockets without one", async () => {
  const strict = await startEngine({
    images: ["busybox"],
    beside: engine,
    flags: ["--published-ports-input"],
  });
  try {
    await strict.ok("run", "-d", "--name", "inp", "-p", "8085:80", ...whoCalls);
    expect(await answer(beyond, "10.77.0.1:8085")).not.toBe("");
    await sh(
      "nft 'add table inet wall; add chain inet wall in { type filter hook input priority 0; }; add rule inet wall in tcp dport 8085 drop'",
    );
    expect(await silent("10.77.0.1:8085")).toBe(true);
    await sh("nft delete table inet wall");
    expect(await answer(beyond, "10.77.0.1:8085")).not.toBe("");
  } finally {
    await strict.destroy();
  }
}, 120_000);

test("beside a firewall that drops what is forwarded, a repair lets containers' packets through, and again after its reload", async () => {
  const wall =
    "nft 'add table inet wall; flush table inet wall; add chain inet wall across { type filter hook forward priority 0; policy drop; }'";
  await engine.ok("network", "create", "--subnet", "10.85.0.0/24", "walled");
  await engine.ok("run", "-d", "--name", "wal", "--network", "walled", "-p", "8086:80", ...whoCalls);
  expect(await answer(beyond, "10.77.0.1:8086")).toBe("10.77.0.2");
  await sh(wall);
  expect(await silent("10.77.0.1:8086")).toBe(true);
  const told = await engine.berth("network", "doctor");
  expect([told.code, told.stdout]).toEqual([
    0,
    expect.stringContaining("advice  chain across of table inet wall drops containers' forwarded packets"),
  ]);
  expect(await engine.ok("network", "doctor", "--repair")).toContain(
    "mended  chain across of table inet wall",
  );
  expect(await answer(beyond, "10.77.0.1:8086")).toBe("10.77.0.2");
  expect(await inside("wal", "ping -c1 -W2 10.77.0.2 >/dev/null && echo yes")).toBe("yes");
  // what was not published stays shut
  expect(await silent("10.85.0.2:80")).toBe(true);
  await sh(wall);
  expect(await answer(beyond, "10.77.0.1:8086")).toBe("10.77.0.2");
  // an engine that comes back knows that it was asked for
  await engine.stop("SIGKILL");
  await sh(wall);
  await engine.start();
  expect(await answer(beyond, "10.77.0.1:8086")).toBe("10.77.0.2");
  await engine.ok("rm", "-f", "wal");
  await engine.ok("network", "rm", "walled");
  const ours = "nft list chain inet wall across | grep -c berth || true";
  const count = (): Promise<string> => sh(ours);
  expect(await until(count, (now) => now === "0")).toBe("0");
  await sh("nft delete table inet wall");
}, 120_000);
