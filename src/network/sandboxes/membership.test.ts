import { expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import { emptySpec, type NetworkSpec } from "../definitions/definitions.ts";
import { request, setUp, web } from "../testing/sandboxes.ts";

const network = (third: number, more: Partial<NetworkSpec> = {}): NetworkSpec => ({
  ...emptySpec,
  subnets: [{ subnet: `10.0.${third}.0/24`, gateway: `10.0.${third}.1`, gatewayTold: false, chosen: false }],
  ...more,
});

/** A running container "c" on network "b", which publishes a port; networks "a" and the internal "i" beside it. */
async function world(failing: Record<string, Error> = {}) {
  const parts = setUp(undefined, failing);
  const { definitions, sandboxes, membership } = parts;
  definitions.put("a", "bridge", network(1));
  definitions.put("b", "bridge", network(2));
  definitions.put("i", "bridge", network(3, { internal: true }));
  await (await sandboxes.open(request("c", "b", [web]))).ready;
  const owner = { containerId: "c", containerName: "name-c", hostname: "c", ports: [web] };
  return {
    ...parts,
    connect: (name: string, asked = {}) => membership.connect({ ...owner, network: name, asked }),
    disconnect: (name: string) => membership.disconnect({ ...owner, network: name }),
  };
}

const targets = (sandboxes: Awaited<ReturnType<typeof world>>["sandboxes"]): string[] =>
  sandboxes.publishedRules().published.map(({ containerIp }) => containerIp);

test("a connected network has the next interface, and names there", async () => {
  const { connect, sandboxes, directory, definitions } = await world();
  const { endpoints } = await connect("i", { Aliases: ["x"] });
  expect(endpoints["i"]).toMatchObject({ IPAddress: "10.0.3.2", Gateway: "" });
  expect(endpoints["i"]?.DNSNames).toEqual(["name-c", "x", "c"]);
  expect(sandboxes.get("c")?.records.map(({ spec }) => spec.interface)).toEqual(["eth0", "eth1"]);
  expect(directory.named(definitions.find("i").id, "X")).toHaveLength(1);
});

test("ports move with the default route, and keep their numbers", async () => {
  const { connect, disconnect, sandboxes } = await world();
  expect(targets(sandboxes)).toEqual(["10.0.2.2"]);
  await connect("a");
  expect(targets(sandboxes)).toEqual(["10.0.1.2"]);
  const { ports } = await disconnect("a");
  expect(targets(sandboxes)).toEqual(["10.0.2.2"]);
  expect(ports["80/tcp"]?.[0]?.HostPort).toBe("8080");
});

test("ports that move are exchanged in one transaction, and told in one row", async () => {
  const { connect, disconnect, commands, endpoints } = await world();
  const rows = (): Record<string, number> =>
    Object.fromEntries(endpoints.all().map(({ spec }) => [spec.networkName, spec.ports.length]));
  const moved = (to: string): string =>
    `delete element inet berth-x published4_any { tcp . 8080 }\nadd element inet berth-x published4_any { tcp . 8080 : ${to} . 80 }`;
  expect(commands.splice(0)).toEqual([
    "add element inet berth-x published4_any { tcp . 8080 : 10.0.2.2 . 80 }",
  ]);
  await connect("a");
  expect(commands.splice(0)).toEqual([moved("10.0.1.2")]);
  expect(rows()).toEqual({ a: 2, b: 0 });
  await disconnect("a");
  expect(commands.splice(0)).toEqual([moved("10.0.2.2")]);
  expect(rows()).toEqual({ b: 2 });
});

test("whenever the Worker is asked for something, the rules it has made are those that are recorded", async () => {
  const world1 = await world();
  const made = new Map([["tcp . 8080", "10.0.2.2"]]);
  const faults: string[] = [];
  world1.asking.push(() => {
    const target = world1.sandboxes.publishedRules().published.map(({ containerIp }) => containerIp);
    for (const command of world1.commands.splice(0)) {
      if (command.startsWith("delete")) made.clear();
      const added = /: (\S+) \. 80/.exec(command)?.[1];
      if (added) made.set("tcp . 8080", added);
    }
    if (target.join() !== [...made.values()].join()) faults.push(`${[...made.values()]} is not ${target}`);
  });
  world1.commands.splice(0);
  await world1.connect("a");
  await world1.disconnect("b");
  await world1.connect("b", { GwPriority: 9 });
  await world1.disconnect("a");
  await world1.sandboxes.close("c");
  expect(faults).toEqual([]);
});

test("a connection that fails half-way leaves the ports where they were", async () => {
  const failing: Record<string, Error> = {};
  const { connect, endpoints, sandboxes, commands } = await world(failing);
  commands.splice(0);
  failing["reroute"] = new EngineError("internal", "no route");
  await expect(connect("a")).rejects.toThrow("no route");
  expect(targets(sandboxes)).toEqual(["10.0.2.2"]);
  expect(endpoints.all().map(({ spec }) => spec.ports.length)).toEqual([2]);
});

test("a priority decides where the default route goes, before names do", async () => {
  const { connect, asked, sandboxes } = await world();
  await connect("a", { GwPriority: -1 });
  expect(asked).not.toContain("reroute");
  expect(targets(sandboxes)).toEqual(["10.0.2.2"]);
});

test("a container that only an internal network has publishes nothing until it is let out", async () => {
  const { connect, disconnect, sandboxes } = await world();
  await connect("i");
  expect((await disconnect("b")).ports).toEqual({});
  expect(targets(sandboxes)).toEqual([]);
  await connect("a");
  expect(targets(sandboxes)).toEqual(["10.0.1.2"]);
});

test("a container in no network keeps its sandbox, and an engine that starts anew knows it", async () => {
  const { disconnect, connect, endpoints, sandboxes, state } = await world();
  expect((await disconnect("b")).endpoints).toEqual({});
  expect(endpoints.all()).toHaveLength(1);
  const next = setUp(state);
  expect(next.sandboxes.get("c")?.netnsPath).toBe(sandboxes.get("c")?.netnsPath);
  await connect("a");
  expect(endpoints.all().map(({ ipv4 }) => ipv4)).toEqual(["10.0.1.2"]);
});

test("a connection that fails leaves the container as it was, and its address free", async () => {
  const failing: Record<string, Error> = {};
  const { connect, endpoints, sandboxes } = await world(failing);
  failing["wire"] = new EngineError("internal", "no veth");
  await expect(connect("a")).rejects.toThrow("no veth");
  expect(endpoints.all()).toHaveLength(1);
  expect(targets(sandboxes)).toEqual(["10.0.2.2"]);
  expect((await connect("a")).endpoints["a"]?.IPAddress).toBe("10.0.1.2");
});

test("what cannot be is refused in Docker's words", async () => {
  const { connect, disconnect } = await world();
  await expect(connect("b")).rejects.toThrow("endpoint with name name-c already exists in network b");
  await expect(connect("host")).rejects.toThrow("container must be created in host network mode");
  await expect(connect("none")).rejects.toThrow("private (none) mode");
  await expect(connect("a", { IPAMConfig: { IPv4Address: "9.9.9.9" } })).rejects.toThrow(
    "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 9.9.9.9",
  );
  const both = { MacAddress: "bogus", IPAMConfig: { IPv4Address: "9.9.9.9" } };
  await expect(connect("a", both)).rejects.toThrow(/^invalid MAC address bogus$/);
  await expect(disconnect("a")).rejects.toThrow("is not connected to network a");
});

test("what a killed engine was about to connect is taken away, what stays is kept", async () => {
  const { connect, membership, definitions, endpoints, state } = await world();
  await connect("a");
  const next = setUp(state);
  await next.membership.finish("c", new Set([definitions.find("b").id]));
  expect(endpoints.all().map(({ ipv4 }) => ipv4)).toEqual(["10.0.2.2"]);
  expect(next.asked).toContain("unwire");
  // its ports had moved to the other network already
  expect(targets(next.sandboxes)).toEqual(["10.0.2.2"]);
  expect(endpoints.all()[0]?.spec.ports.map(({ hostPort }) => hostPort)).toEqual([8080, 8080]);
  await membership.finish("unknown", new Set());
});

test("a renamed container is known by its new name", async () => {
  const { membership, directory, definitions, endpoints } = await world();
  const state = membership.rename("c", "renamed");
  expect(state?.endpoints["b"]?.DNSNames).toEqual(["renamed", "c"]);
  expect(directory.named(definitions.find("b").id, "name-c")).toEqual([]);
  expect(endpoints.all()[0]?.spec.containerName).toBe("renamed");
});
