/** Namespaces, bridge, addresses and published ports in a real kernel, in a network namespace of the test's own. */
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";

interface Traces {
  links: string[];
  rules: string;
  namespaces: string[];
  listening: string;
}

interface Outcome {
  interfaces: string;
  isolated: string;
  reached: Record<string, string>;
  loopbackGuard: string;
  conflicts: string[];
  address: string;
  udp: string[];
  left: Traces;
  killed: { swept: Traces; rows: string[]; busy: string; left: Traces };
}

const privileged = process.getuid?.() === 0;
const rootTest = privileged ? test : test.skip;
if (!privileged) console.log("SKIPPED: the network tests need root");

let outcome: Outcome;
beforeAll(async () => {
  if (!privileged) return;
  const scenario = join(import.meta.dir, "network/scenario.ts");
  const child = Bun.spawn(["unshare", "--net", "--mount", process.execPath, scenario], {
    stdout: "pipe",
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  outcome = JSON.parse(text) as Outcome;
}, 120_000);

rootTest("a container on the bridge has eth0 with the lowest free address", () => {
  expect(outcome.interfaces.replace(/\s+/g, " ")).toMatch(
    /^lo UNKNOWN 127.0.0.1\/8 ::1\/128 eth0@if\d+ UP 172.17.0.2\/16$/,
  );
});

rootTest("a container without network has its loopback alone", () => {
  expect(outcome.isolated.replace(/\s+/g, " ").trim()).toBe("lo UNKNOWN 127.0.0.1/8 ::1/128");
});

rootTest("published ports are reached from everywhere, others only from host and neighbours", () => {
  expect(outcome.reached).toEqual({
    "host's loopback": "80 172.17.0.1",
    "host's loopback, IPv6": "80 172.17.0.1",
    "host's own address": "80 10.77.0.1",
    "host's loopback, UDP": "81 172.17.0.1",
    "host's loopback, UDP on IPv6": "81 172.17.0.1",
    "host to an unpublished port": "82 172.17.0.1",
    "host's loopback to a loopback port": "83 172.17.0.1",
    outside: "80 10.77.0.2",
    "outside, UDP": "81 10.77.0.2",
    "outside, IPv6": "80 172.17.0.1",
    "outside to a loopback port": "ECONNREFUSED",
    "outside to an unpublished port": "timeout",
    "outside to a published container port": "timeout",
    "neighbour, directly": "82 172.17.0.3",
    "neighbour, by the host's address": "80 172.17.0.1",
    "neighbour, by the gateway": "80 172.17.0.1",
    "itself, by the host's address": "80 172.17.0.1",
    "container to the outside": "90 10.77.0.1",
    "container to its gateway": "91 172.17.0.3",
  });
});

rootTest("a container's loopback is its own", () => {
  expect(outcome.loopbackGuard).toBe("ECONNREFUSED");
});

rootTest("busy ports are told as Docker tells them", () => {
  const endpoint = "driver failed programming external connectivity on endpoint loser (ID)";
  expect(outcome.conflicts).toEqual([
    `${endpoint}: Bind for 0.0.0.0:8080 failed: port is already allocated`,
    `${endpoint}: Bind for :::8080 failed: port is already allocated`,
    `${endpoint}: failed to bind host port for 0.0.0.0:91:172.17.0.4:80/tcp: address already in use`,
    `${endpoint}: failed to bind host port for 192.0.2.77:9999:172.17.0.4:80/tcp: cannot assign requested address`,
    "",
  ]);
});

rootTest("two hundred containers one after the other use one address and leave nothing", () => {
  expect(outcome.address).toBe("172.17.0.4");
  // the listeners are the test's own server on the host: TCP and UDP
  expect(outcome.left).toEqual({ links: [], rules: "", namespaces: [], listening: "2" });
});

rootTest("a UDP client reaches the next container behind a port, not the last one", () => {
  expect(outcome.udp).toEqual(["81 10.77.0.2", "82 10.77.0.2"]);
});

rootTest("after a kill the living keep their place, and of the dead nothing is left", () => {
  const { swept, rows, busy } = outcome.killed;
  expect(rows).toEqual(["h", "x"]);
  expect(swept.links.filter((name) => name.startsWith("veth"))).toHaveLength(1);
  expect(swept.links).toContain("berth0");
  expect(swept.namespaces).toHaveLength(2);
  expect(busy).toContain("Bind for 0.0.0.0:8090 failed: port is already allocated");
});

rootTest("an engine that stops with its last container takes bridge and rules along", () => {
  expect(outcome.killed.left).toEqual({ links: [], rules: "", namespaces: [], listening: "2" });
});
