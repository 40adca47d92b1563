import { expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import { State } from "../../state/database.ts";
import { request, setUp, web } from "../testing/sandboxes.ts";

test("the namespace is there at once, and ready tells what inspect tells", async () => {
  const { sandboxes } = setUp();
  const sandbox = await sandboxes.open(request("a", "bridge", [web]));
  expect(sandbox.netnsPath).toBe(`/run/netns/${sandbox.sandboxId.slice(0, 12)}`);
  const state = await sandbox.ready;
  expect(state.endpoints["bridge"]).toMatchObject({
    IPAddress: "172.17.0.2",
    IPPrefixLen: 16,
    Gateway: "172.17.0.1",
    MacAddress: "02:42:ac:11:00:02",
  });
  expect(Object.keys(state.ports)).toEqual(["80/tcp"]);
});

test("the row is there before the wiring, and gone after the tear-down", async () => {
  const { sandboxes, endpoints, asked } = setUp();
  const { ready } = await sandboxes.open(request("a", "bridge", [web]));
  expect(endpoints.all().map(({ ipv4 }) => ipv4)).toEqual(["172.17.0.2"]);
  await ready;
  expect(endpoints.all()[0]?.spec.ports).toHaveLength(2);
  await sandboxes.close("a");
  expect(endpoints.all()).toEqual([]);
  expect(asked).toContain("tearDown");
});

test("none has a namespace and no wiring; host has the host's namespace", async () => {
  const { sandboxes, asked } = setUp();
  const none = await (await sandboxes.open(request("a", "none"))).ready;
  expect(none.endpoints["none"]).toMatchObject({ IPAddress: "", MacAddress: "" });
  expect(none.ports).toEqual({});
  const host = await sandboxes.open(request("b", "host", [web]));
  expect(host.netnsPath).toBe("/run/netns/default");
  expect((await host.ready).ports).toEqual({});
  expect(asked).not.toContain("wire");
});

test("a failed wiring leaves nothing and gives the address back", async () => {
  const { sandboxes, endpoints, asked } = setUp(State.inMemory(), {
    wire: new EngineError("internal", "no veth"),
  });
  const sandbox = await sandboxes.open(request("a"));
  await expect(sandbox.ready).rejects.toThrow("no veth");
  expect(endpoints.all()).toEqual([]);
  expect(asked).toContain("tearDown");
  const again = await (await sandboxes.open(request("b"))).ready;
  expect(again.endpoints["bridge"]?.IPAddress).toBe("172.17.0.2");
});

test("a busy port is told by open itself, in Docker's words", async () => {
  const { sandboxes, endpoints } = setUp();
  await (await sandboxes.open(request("a", "bridge", [web]))).ready;
  const sentence =
    /^driver failed programming external connectivity on endpoint name-b \([0-9a-f]{64}\): Bind for 0.0.0.0:8080 failed: port is already allocated$/;
  await expect(sandboxes.open(request("b", "bridge", [web]))).rejects.toThrow(sentence);
  expect(endpoints.all()).toHaveLength(1);
});

test("a deleted bridge is made anew", async () => {
  const gone = Object.assign(new EngineError("internal", "find berth0"), { code: "ENODEV" });
  const { sandboxes, asked } = setUp(State.inMemory(), { wire: gone });
  await (await sandboxes.open(request("a"))).ready;
  expect(asked.filter((method) => method !== "makeNamespace")).toEqual([
    "prepare",
    "wire",
    "prepare",
    "wire",
  ]);
});

test("flushed rules are made anew", async () => {
  const { sandboxes, asked } = setUp(State.inMemory(), {
    changeRules: new EngineError("internal", "no table"),
  });
  await (await sandboxes.open(request("a", "bridge", [web]))).ready;
  expect(asked.filter((method) => method === "prepare")).toHaveLength(2);
});

test("an unknown network is told before anything is made", async () => {
  const { sandboxes, asked } = setUp();
  await expect(sandboxes.open(request("a", "nope"))).rejects.toThrow("network nope not found");
  expect(asked).toEqual([]);
});

test("bridge and spare namespaces go with the last container", async () => {
  const { sandboxes, asked } = setUp();
  await (await sandboxes.open(request("a"))).ready;
  await (await sandboxes.open(request("b"))).ready;
  await sandboxes.close("a");
  await Bun.sleep(15);
  expect(asked).not.toContain("removeAll");
  await sandboxes.close("b");
  await Bun.sleep(15);
  expect(asked).toContain("removeAll");
});

test("a container that comes within the grace time keeps the bridge", async () => {
  const { sandboxes, asked } = setUp();
  await (await sandboxes.open(request("a"))).ready;
  await sandboxes.close("a");
  await (await sandboxes.open(request("b"))).ready;
  await Bun.sleep(15);
  expect(asked).not.toContain("removeAll");
});

test("after a restart the living keep their addresses and ports, the dead give theirs back", async () => {
  const before = setUp();
  for (const id of ["a", "b"]) await (await before.sandboxes.open(request(id))).ready;
  await (await before.sandboxes.open(request("c", "bridge", [web]))).ready;
  const { sandboxes, endpoints } = setUp(before.state);
  await sandboxes.sweep(new Set(["b", "c"]));
  await sandboxes.adopt("c");
  expect(endpoints.all().map(({ containerId }) => containerId)).toEqual(["b", "c"]);
  expect(sandboxes.publishedRules().published).toHaveLength(1);
  await expect(sandboxes.open(request("d", "bridge", [web]))).rejects.toThrow("already allocated");
  const next = await (await sandboxes.open(request("e"))).ready;
  expect(next.endpoints["bridge"]?.IPAddress).toBe("172.17.0.2");
});

test("an engine starts on a host without nftables, and says so where it is needed", async () => {
  const missing = (): Error => new EngineError("internal", "libnftables is missing");
  const { sandboxes } = setUp(State.inMemory(), { sweep: missing(), prepare: missing() });
  await sandboxes.sweep(new Set());
  await (await sandboxes.open(request("a", "none"))).ready;
  await expect((await sandboxes.open(request("b"))).ready).rejects.toThrow("libnftables is missing");
});

test("closing twice, and closing what never was, is a success", async () => {
  const { sandboxes, asked } = setUp();
  await (await sandboxes.open(request("a"))).ready;
  await Promise.all([sandboxes.close("a"), sandboxes.close("a"), sandboxes.close("zz")]);
  expect(asked.filter((method) => method === "tearDown")).toHaveLength(1);
});

test("an address of one's own is for user-defined networks", async () => {
  const { sandboxes } = setUp();
  const wanted = { ...request("a"), networks: { bridge: { IPAMConfig: { IPv4Address: "172.17.0.9" } } } };
  await expect(sandboxes.open(wanted)).rejects.toThrow(
    "user specified IP address is supported on user defined networks only",
  );
});

test("a MAC address of one's own is used", async () => {
  const { sandboxes } = setUp();
  const wanted = { ...request("a"), networks: { bridge: { MacAddress: "02:42:AC:11:00:99" } } };
  const { endpoints } = await (await sandboxes.open(wanted)).ready;
  expect(endpoints["bridge"]?.MacAddress).toBe("02:42:ac:11:00:99");
});

test("what others removed is made anew before anyone asks", async () => {
  const { sandboxes, asked, missing, told } = setUp();
  await (await sandboxes.open(request("a"))).ready;
  missing.push("bridge berth0");
  told.presence();
  while (asked.filter((method) => method === "prepare").length < 2) await Bun.sleep(5);
  expect(asked.filter((method) => method === "prepare")).toHaveLength(2);
});
