import { expect, test } from "bun:test";
import {
  addBridge,
  type BridgeRules,
  exchangePorts,
  type PublishedRule,
  portsBeyond,
  removeBridge,
  removeTable,
  ruleset,
} from "./rules.ts";

const web: PublishedRule = {
  hostIp: "0.0.0.0",
  protocol: "tcp",
  hostPort: 8080,
  containerIp: "172.17.0.2",
  containerPort: 80,
};
const local: PublishedRule = {
  ...web,
  hostIp: "127.0.0.1",
  protocol: "udp",
  hostPort: 53,
  containerPort: 5353,
};
const six: PublishedRule = { ...web, hostIp: "::", containerIp: "fd00::2" };
const bridge: BridgeRules = {
  name: "berth0",
  subnets: ["172.17.0.0/16"],
  masqueraded: ["172.17.0.0/16"],
  icc: true,
  internal: false,
  open: [],
};
const ports = (...published: PublishedRule[]) => ({ published, routed: [] });
const model = { table: "berth-x", bridges: [bridge], ...ports(web, local, six) };

test("the table is replaced in one transaction", () => {
  const lines = ruleset(model).trim().split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "add table inet berth-x",
    "delete table inet berth-x",
    "table inet berth-x {",
  ]);
});

test("ports of every address and of one address lie in maps of their own, and so do families", () => {
  const text = ruleset(model);
  expect(text).toContain(
    "map published4_any { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 : 172.17.0.2 . 80 }; }",
  );
  expect(text).toContain("inet_service; elements = { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }; }");
  expect(text).toContain("ipv6_addr . inet_service; elements = { tcp . 8080 : fd00::2 . 80 }; }");
});

test("a bridge without masquerading is a bridge all the same", () => {
  const plain = { ...bridge, name: "b1", masqueraded: [] };
  const text = ruleset({ table: "t", bridges: [plain], ...ports() });
  expect(text).toContain('set bridges { type ifname; elements = { "b1" }; }');
  expect(text).toContain("set masqueraded4 { type ipv4_addr; flags interval; }");
  expect(text).not.toContain("elements = {  }");
});

test("no container reaches the host's loopback through route_localnet", () => {
  expect(ruleset(model)).toContain("ip daddr 127.0.0.0/8 iifname @bridges drop");
});

test("ports are added and removed as elements, all of one map in one command", () => {
  expect(exchangePorts("t", ports(), ports(web, { ...web, hostPort: 8081 }, local))).toBe(
    "add element inet t published4_any { tcp . 8080 : 172.17.0.2 . 80, tcp . 8081 : 172.17.0.2 . 80 }\n" +
      "add element inet t published4 { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }",
  );
  expect(exchangePorts("t", ports(web), ports())).toBe("delete element inet t published4_any { tcp . 8080 }");
});

test("a network comes and goes as elements: the table's size in rules stays as it is", () => {
  const inner: BridgeRules = {
    name: "br-1",
    subnets: ["10.1.0.0/24", "fd00::/64"],
    masqueraded: [],
    icc: false,
    internal: true,
    open: [],
  };
  expect(addBridge("t", inner).split("\n")).toEqual([
    'add element inet t bridges { "br-1" }',
    'add element inet t internal { "br-1" }',
    'add element inet t local4 { "br-1" . 10.1.0.0/24 }',
    'add element inet t local6 { "br-1" . fd00::/64 }',
  ]);
  expect(removeBridge("t", inner)).toBe(addBridge("t", inner).replaceAll("add ", "delete "));
});

test("a routed network's ports are let in at the container's own address", () => {
  const routed = [{ protocol: "tcp" as const, containerIp: "10.1.0.2", containerPort: 80 }];
  expect(exchangePorts("t", ports(), { published: [], routed })).toBe(
    "add element inet t routed4 { 10.1.0.2 . tcp . 80 }",
  );
});

test("ports that lead elsewhere are exchanged in one transaction, and those that stay are not in it", () => {
  const moved = { ...web, containerIp: "172.18.0.2" };
  expect(exchangePorts("t", ports(web), ports(moved))).toBe(
    "delete element inet t published4_any { tcp . 8080 }\n" +
      "add element inet t published4_any { tcp . 8080 : 172.18.0.2 . 80 }",
  );
  expect(portsBeyond(ports(web, local), ports(moved, local))).toEqual(ports(web));
});

test("removing a table that is gone is a success", () => {
  expect(removeTable("t")).toBe("add table inet t\ndelete table inet t");
});

test("what is let through is marked where other firewalls need it, and nothing is otherwise", () => {
  const model = { table: "t", bridges: [], published: [], routed: [] };
  expect(ruleset(model)).not.toContain("mark");
  const marking = ruleset({ ...model, mark: "0x8" });
  const [, inward = ""] = /chain inward \{([^}]*)\}/.exec(marking) ?? [];
  for (const line of inward.split("\n").filter((each) => each.endsWith("accept")))
    expect(line).toContain("meta mark set meta mark | 0x8 accept");
});
