/** Networks that users make, in a real kernel: who reaches whom, live changes, both families, and what faults leave. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { Random } from "../harness/random.ts";
import { comesTrue } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

const sh = async (command: string): Promise<string> =>
  (await engine.run(["sh", "-c", command])).stdout.trim();
const inside = async (name: string, command: string): Promise<string> =>
  (await engine.berth("exec", name, "sh", "-c", command)).stdout.trim();
const pings = async (name: string, address: string): Promise<boolean> =>
  (await inside(name, `ping -c1 -W1 ${address} >/dev/null 2>&1 && echo yes`)) === "yes";
const run = (name: string, ...flags: string[]): Promise<string> =>
  engine.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000");
/** what a container on port 80 says to who asks: nothing until it listens */
const serve = ["busybox", "sh", "-c", "mkdir /www; echo page >/www/x; exec httpd -f -h /www"];

const page = (url: string): Promise<boolean> =>
  comesTrue(async () => (await sh(`curl -s -m 1 -g '${url}/x'`)) === "page");

test("networks are apart, a container on two of them is in both, and leaves nothing behind", async () => {
  await engine.ok("network", "create", "--subnet", "10.61.0.0/24", "apart1");
  await engine.ok("network", "create", "--subnet", "10.62.0.0/24", "apart2");
  await run("one", "--network", "apart1");
  await run("two", "--network", "apart2");
  const second = "name=apart2,gw-priority=1,link-local-ip=169.254.8.8";
  await run("both", "--network", "apart1", "--network", second);
  expect(await inside("both", "ip -o -4 addr show eth1")).toContain("169.254.8.8/16");
  expect(await pings("one", "10.62.0.2")).toBe(false);
  expect(await pings("one", "10.61.0.3")).toBe(true);
  expect(await pings("two", "10.62.0.3")).toBe(true);
  // not even by a gateway that is not theirs
  expect(await pings("two", "10.61.0.3")).toBe(false);
  expect(await inside("both", "ip route | grep default")).toContain("via 10.62.0.1");
  const used = await engine.berth("network", "rm", "apart1");
  expect(used.stderr).toContain('network apart1 has active endpoints (name:"one" id:');
  await engine.ok("rm", "-f", "one", "two", "both");
  await engine.ok("network", "rm", "apart1", "apart2");
  expect(await comesTrue(async () => (await sh("ip -o link | grep -c veth || true")) === "0")).toBe(true);
}, 120_000);

test("a container joins and leaves networks while it runs; hosts file, routes and ports follow", async () => {
  await engine.ok("network", "create", "--subnet", "10.63.0.0/24", "live1");
  await engine.ok("network", "create", "--subnet", "10.64.0.0/24", "live2");
  await engine.ok("run", "-d", "--name", "web", "-h", "h", "--network", "live2", "-p", "8090:80", ...serve);
  expect(await page("http://127.0.0.1:8090")).toBe(true);
  await engine.ok("network", "connect", "--ip", "10.63.0.9", "live1", "web");
  expect(await inside("web", "ip route | grep default")).toContain("via 10.63.0.1");
  expect(await inside("web", "grep -c h$ /etc/hosts")).toBe("2");
  expect(await page("http://127.0.0.1:8090")).toBe(true);
  expect(await page("http://10.99.99.1:8090")).toBe(true);
  await engine.ok("network", "disconnect", "live1", "web");
  expect(await inside("web", "ip route | grep default")).toContain("via 10.64.0.1");
  expect(await inside("web", "ls /sys/class/net | tr '\n' ' '")).toBe("eth0 lo");
  expect(await page("http://10.99.99.1:8090")).toBe(true);
  await engine.ok("network", "disconnect", "live2", "web");
  expect(await engine.ok("inspect", "-f", "{{json .NetworkSettings.Ports}}", "web")).toBe("{}");
  await engine.stop("SIGKILL");
  await engine.start();
  await engine.ok("network", "connect", "live1", "web");
  expect(await page("http://127.0.0.1:8090")).toBe(true);
  await engine.ok("rm", "-f", "web");
  await engine.ok("network", "rm", "live1", "live2");
}, 120_000);

test("both families: neighbours, the world, published ports with the caller's address, loopback", async () => {
  await engine.ok("network", "create", "--ipv6", "--subnet", "10.65.0.0/24", "--subnet", "fd65::/64", "dual");
  await engine.ok("run", "-d", "--name", "web6", "--network", "dual", "-p", "8091:80", ...serve);
  await run("near6", "--network", "dual");
  expect(await pings("near6", "fd65::2")).toBe(true);
  for (const url of [
    "http://127.0.0.1:8091",
    "http://[::1]:8091",
    "http://[fd65::1]:8091",
    "http://[fd65::2]",
  ])
    expect(await page(url)).toBe(true);
  // through its own published port: hairpin
  expect(await inside("web6", "wget -qO- http://10.65.0.1:8091/x")).toBe("page");
  expect(await engine.ok("inspect", "-f", "{{json .NetworkSettings.Ports}}", "web6")).toContain('"::"');
  await engine.ok("network", "create", "--ipv4=false", "--ipv6", "only6");
  await engine.ok("run", "-d", "--name", "six", "--network", "only6", "-p", "8092:80", ...serve);
  expect(await page("http://[::1]:8092")).toBe(true);
  expect(await engine.ok("port", "six")).toBe("80/tcp -> [::]:8092");
  await engine.ok("rm", "-f", "web6", "near6", "six");
  await engine.ok("network", "rm", "dual", "only6");
}, 120_000);

test("an internal network leads nowhere, containers without icc do not meet, and both answer the host", async () => {
  await engine.ok("network", "create", "--internal", "--subnet", "10.66.0.0/24", "inner");
  await engine.ok(
    "network",
    "create",
    "--subnet",
    "10.67.0.0/24",
    "-o",
    "com.docker.network.bridge.enable_icc=false",
    "-o",
    "com.docker.network.bridge.name=strict0",
    "-o",
    "com.docker.network.driver.mtu=1200",
    "strict",
  );
  await run("in1", "--network", "inner");
  await run("in2", "--network", "inner");
  await run("st1", "--network", "strict");
  await run("st2", "--network", "strict");
  expect(await pings("in1", "10.66.0.3")).toBe(true);
  expect(await inside("in1", "ip route | grep -c default || true")).toBe("0");
  // even with a route of its own
  await engine.ok("exec", "--privileged", "in1", "ip", "route", "add", "default", "via", "10.66.0.1");
  expect(await pings("in1", "10.67.0.2")).toBe(false);
  expect(await pings("st1", "10.67.0.3")).toBe(false);
  // nobody listens there: an answer all the same
  for (const address of ["10.67.0.3", "10.66.0.2"])
    expect(await sh(`curl -sS -m 2 http://${address}:1/ 2>&1`)).toContain("curl: (7)");
  // below the least of IPv6: the kernel has none of it on these interfaces
  expect(await sh("ip -o link show strict0")).toContain("mtu 1200");
  expect(await inside("st1", "cat /sys/class/net/eth0/mtu")).toBe("1200");
  await engine.ok("rm", "-f", "in1", "in2", "st1", "st2");
  await engine.ok("network", "rm", "inner", "strict");
  expect(await sh("ip -o link show strict0 2>/dev/null | wc -l")).toBe("0");
}, 120_000);

test("what others delete or flush is there again by itself", async () => {
  await engine.ok("network", "create", "--subnet", "10.68.0.0/24", "heal");
  await engine.ok("run", "-d", "--name", "hweb", "--network", "heal", "-p", "8093:80", ...serve);
  await run("hnear", "--network", "heal");
  expect(await page("http://10.99.99.1:8093")).toBe(true);
  const bridge = `br-${(await engine.ok("network", "inspect", "-f", "{{.Id}}", "heal")).slice(0, 12)}`;
  const index = (): Promise<string> => sh(`ip -o link show ${bridge} | cut -d: -f1`);
  const before = await index();
  await sh(`nft flush ruleset; ip link del ${bridge}`);
  expect(await comesTrue(async () => !["", before].includes(await index()))).toBe(true);
  expect(await comesTrue(() => pings("hnear", "10.68.0.2"))).toBe(true);
  expect(await page("http://10.99.99.1:8093")).toBe(true);
  expect(await sh("nft list ruleset | grep -c 'tcp . 8093 : 10.68.0.2 . 80'")).toBe("1");
  expect((await engine.berth("network", "doctor")).code).toBe(0);
  // one link is taken out of its bridge: nothing notices but the doctor
  const link = await sh(`ip -o link show master ${bridge} | awk -F'[ :@]+' 'NR==1 {print $2}'`);
  await sh(`ip link set ${link} nomaster`);
  const sick = await engine.berth("network", "doctor");
  expect([sick.code, sick.stdout]).toEqual([
    1,
    expect.stringContaining(`${link} is not in bridge ${bridge}`),
  ]);
  expect(await engine.ok("network", "doctor", "--repair")).toContain(`mended  a container's link ${link}`);
  expect(await pings("hnear", "10.68.0.2")).toBe(true);
  await engine.ok("rm", "-f", "hweb", "hnear");
  await engine.ok("network", "rm", "heal");
}, 120_000);

test("what others delete or flush while no engine is there is back with the next one", async () => {
  await engine.ok("network", "create", "--subnet", "10.68.0.0/24", "heal");
  await engine.ok("run", "-d", "--name", "hweb", "--network", "heal", "-p", "8093:80", ...serve);
  await run("hnear", "--network", "heal");
  await engine.stop("SIGKILL");
  await sh(
    "nft flush ruleset; for l in $(ip -o link show type bridge | cut -d: -f2); do ip link del $l; done",
  );
  await engine.start();
  expect(await pings("hnear", "10.68.0.2")).toBe(true);
  expect(await page("http://10.99.99.1:8093")).toBe(true);
  expect((await engine.berth("network", "doctor")).code).toBe(0);
  await engine.ok("rm", "-f", "hweb", "hnear");
  await engine.ok("network", "rm", "heal");
}, 120_000);

/** Sorted interfaces and addresses of a container, as its kernel has them and as the engine tells them. */
async function views(name: string): Promise<[kernel: string, told: string]> {
  const kernel = await inside(name, "ip -4 -o addr | awk '{print $4}' | grep -v ^127 | sort");
  const told = await engine.ok(
    "inspect",
    "-f",
    "{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}",
    name,
  );
  return [
    kernel.split("\n").filter(Boolean).join(" "),
    told
      .split("\n")
      .filter(Boolean)
      .map((address) => `${address}/24`)
      .sort()
      .join(" "),
  ];
}

const seed = Number(process.env["BERTH_FAULT_SEED"] ?? Date.now() % 1_000_000);

test(`an engine killed in mid-connect tells the truth when it is back (seed ${seed})`, async () => {
  console.log(`fault seed ${seed}`);
  const random = new Random(seed);
  const names = ["k1", "k2", "k3", "k4"];
  for (const name of names) await engine.ok("network", "create", "--subnet", `10.7${name[1]}.0.0/24`, name);
  await run("c1", "--network", "k1");
  await run("c2", "--network", "k1");
  for (let round = 0; round < 6; round++) {
    const until = Date.now() + 150 + random.below(250);
    const change = async (container: string): Promise<void> => {
      while (Date.now() < until)
        await engine.berth("network", random.pick(["connect", "disconnect"]), random.pick(names), container);
    };
    const changing = Promise.all(["c1", "c2"].map(change));
    await Bun.sleep(until - Date.now() - random.below(100));
    await engine.stop("SIGKILL");
    await changing;
    await engine.start();
    for (const container of ["c1", "c2"]) {
      const [kernel, told] = await views(container);
      expect(kernel).toBe(told);
    }
  }
  await engine.ok("rm", "-f", "c1", "c2");
  await engine.ok("network", "rm", ...names);
  expect(await comesTrue(async () => (await sh("ip -o link | grep -c veth || true")) === "0")).toBe(true);
}, 120_000);
