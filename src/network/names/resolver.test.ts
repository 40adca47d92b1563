import { expect, test } from "bun:test";
import { silentLogger } from "../../lib/log.ts";
import type { ServedSandbox } from "./protocol.ts";
import { type KnownEndpoint, NameResolver, type NamesThread } from "./resolver.ts";

type Change = { kind: "joined" | "left" | "renamed"; endpoint: KnownEndpoint };

const endpoint = (containerId: string, rest: Partial<KnownEndpoint> = {}): KnownEndpoint => ({
  endpointId: `${containerId}@${rest.networkName ?? "net"}`,
  containerId,
  networkId: rest.networkName ?? "net",
  networkName: "net",
  names: [containerId],
  ipv4: "10.0.0.2",
  ipv6: "",
  links: new Map(),
  internal: false,
  ...rest,
});

function setUp() {
  const calls: [string, unknown][] = [];
  let listener: (change: Change) => void = () => undefined;
  let places: KnownEndpoint[] = [];
  let fail: (error: Error) => void = () => undefined;
  const started: string[] = [];
  const thread: NamesThread = {
    call: async (method, args) => {
      calls.push([method, args]);
    },
    onFailure: (tell) => {
      fail = tell;
    },
    end: async () => {
      started.push("ended");
    },
  };
  const resolver = new NameResolver({
    directory: {
      of: (id) => places.filter(({ containerId }) => containerId === id),
      subscribe: (tell) => {
        listener = tell;
      },
    },
    startThread: async () => {
      started.push("started");
      return thread;
    },
    hostIn: (id) => ({ ipv4: id === "net" ? "10.0.0.1" : "", ipv6: "" }),
    lingerMs: 1,
    logger: silentLogger,
  });
  const change = (kind: Change["kind"], one: KnownEndpoint): void => {
    places = places.filter(({ endpointId }) => endpointId !== one.endpointId);
    if (kind !== "left") places.push(one);
    listener({ kind, endpoint: one });
  };
  const attach = (containerId: string): Promise<void> =>
    resolver.attach({ containerId, netnsPath: "/netns", dns: [], ndotsSet: false });
  const served = (): ServedSandbox => calls.findLast(([method]) => method === "serve")?.[1] as ServedSandbox;
  return { resolver, calls, started, change, attach, served, fail: () => fail(new Error("died")) };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test("the thread starts with the first container, told of all endpoints before", async () => {
  const { change, attach, calls, started, served } = setUp();
  change("joined", endpoint("web"));
  change("joined", endpoint("plain", { networkName: "bridge", names: [] }));
  expect(started).toEqual([]);
  await attach("web");
  expect(started).toEqual(["started"]);
  expect(calls[0]).toMatchObject(["announce", { endpoints: [{ endpointId: "web@net" }] }]);
  expect(served()).toMatchObject({
    sandboxId: "web",
    asker: { networks: [{ id: "net", name: "net" }], forwards: true, host: { ipv4: "10.0.0.1" } },
  });
});

test("changes are passed on, and a container's own change its view", async () => {
  const { change, attach, calls, served } = setUp();
  change("joined", endpoint("web"));
  await attach("web");
  calls.length = 0;
  change("joined", endpoint("db"));
  change("left", endpoint("db"));
  change("joined", endpoint("web", { networkName: "inner", internal: true, links: new Map([["DB", "Db"]]) }));
  await settle();
  expect(calls.map(([method]) => method)).toEqual(["announce", "withdraw", "announce", "serve"]);
  expect(served().asker.networks).toEqual([
    { id: "net", name: "net", links: {} },
    { id: "inner", name: "inner", links: { db: "db" } },
  ]);
  change("left", endpoint("web"));
  await settle();
  expect(served().asker).toMatchObject({ forwards: false, networks: [{ id: "inner" }] });
});

test("the thread ends a while after the last container", async () => {
  const { attach, resolver, calls, started } = setUp();
  await attach("web");
  await attach("db");
  resolver.detach("web");
  await settle();
  expect(started).toEqual(["started"]);
  resolver.detach("db");
  resolver.detach("db");
  await settle();
  expect(started).toEqual(["started", "ended"]);
  expect(calls.filter(([method]) => method === "stop").length).toBe(2);
});

test("a thread that was warmed for a container that never starts ends too", async () => {
  const { resolver, started } = setUp();
  resolver.warm();
  resolver.warm();
  await settle();
  expect(started).toEqual(["started", "ended"]);
});

test("a thread that dies is replaced, and serves everyone again", async () => {
  const { attach, change, calls, started, fail } = setUp();
  change("joined", endpoint("web"));
  await attach("web");
  await attach("db");
  calls.length = 0;
  fail();
  // the next container does not wait for the pause
  await attach("new");
  expect(started).toEqual(["started", "started"]);
  const served = calls.flatMap(([method, args]) =>
    method === "serve" ? [(args as ServedSandbox).sandboxId] : [],
  );
  expect(new Set(served)).toEqual(new Set(["web", "db", "new"]));
});
