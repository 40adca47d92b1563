import { expect, test } from "bun:test";
import { addPorts, type PublishedRule, removePorts, removeTable, ruleset } from "./rules.ts";

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
const model = {
  table: "berth-x",
  bridges: [{ name: "berth0", masquerade: "172.17.0.0/16" }],
  ports: [web, local],
};

test("the table is replaced in one transaction", () => {
  const lines = ruleset(model).trim().split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "add table inet berth-x",
    "delete table inet berth-x",
    "table inet berth-x {",
  ]);
});

test("ports of every address and of one address lie in maps of their own", () => {
  const text = ruleset(model);
  expect(text).toContain("inet_service; elements = { tcp . 8080 : 172.17.0.2 . 80 }; }");
  expect(text).toContain("inet_service; elements = { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }; }");
});

test("a bridge without masquerading is a bridge all the same", () => {
  const text = ruleset({ table: "t", bridges: [{ name: "b1" }], ports: [] });
  expect(text).toContain('set bridges { type ifname; elements = { "b1" }; }');
  expect(text).toContain("set masqueraded { type ipv4_addr; flags interval; }");
  expect(text).not.toContain("elements = {  }");
});

test("no container reaches the host's loopback through route_localnet", () => {
  expect(ruleset(model)).toContain("iifname @bridges ip daddr 127.0.0.0/8 drop");
});

test("ports are added and removed as elements, all of one map in one command", () => {
  expect(addPorts("t", [web, { ...web, hostPort: 8081 }, local])).toBe(
    "add element inet t published { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }\n" +
      "add element inet t published_any { tcp . 8080 : 172.17.0.2 . 80, tcp . 8081 : 172.17.0.2 . 80 }",
  );
  expect(removePorts("t", [web])).toBe("delete element inet t published_any { tcp . 8080 }");
});

test("removing a table that is gone is a success", () => {
  expect(removeTable("t")).toBe("add table inet t\ndelete table inet t");
});
