import { expect, test } from "bun:test";
import { SystemError } from "../../system/libc.ts";
import type { NetlinkMessage, NetlinkRequest } from "../../system/netlink/codec.ts";
import { encodeAttributes } from "../../system/netlink/codec.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import { HostNetwork } from "./host.ts";

/** A kernel that writes down what it is asked. `links` exist, with their kind and bridge. */
function setUp(links: Record<string, { index: number; kind: string; master?: number; alias?: string }> = {}) {
  const asked: string[] = [];
  const netlink = (place: string): Netlink => ({
    apply: (requests) => {
      for (const { what } of requests) asked.push(`${place}${what}`);
    },
    query: (request) => answer(request),
    close: () => asked.push(`${place}close`),
  });
  const answer = (request: NetlinkRequest): NetlinkMessage[] => {
    const name = /^get link (.*)/.exec(request.what)?.[1];
    if (name === undefined) return request.what === "list links" ? Object.keys(links).map(message) : [];
    if (!links[name]) throw new SystemError(request.what, "ENODEV");
    return [message(name)];
  };
  const message = (name: string): NetlinkMessage => {
    const { index = 0, kind = "", master = 0, alias = "" } = links[name] ?? {};
    const body = Buffer.alloc(16);
    body.writeInt32LE(index, 4);
    const attributes = encodeAttributes([
      [3, Buffer.from(`${name}\0`)],
      [10, Buffer.of(master, 0, 0, 0)],
      [18, [[1, Buffer.from(`${kind}\0`)]]],
      [20, Buffer.from(`${alias}\0`)],
    ]);
    return { type: 16, flags: 0, sequence: 1, payload: Buffer.concat([body, attributes]) };
  };
  const host = new HostNetwork({
    thread: {
      create: (path, inside) => {
        asked.push(`namespace ${path}`);
        return inside();
      },
      enter: (_path, inside) => inside(),
      holdOwn: (path) => asked.push(`hold ${path}`),
      close: () => undefined,
    },
    netlink: netlink(""),
    openNetlink: () => netlink("inside: "),
    nftables: {
      run: (commands) => asked.push(`nft ${commands.trim().split("\n")[0]}`),
      list: () => "",
      close: () => undefined,
    },
  });
  return { host, asked };
}

test("a new namespace has its loopback up, and its socket is closed", () => {
  const { host, asked } = setUp();
  host.makeNamespace({ path: "/run/x" });
  expect(asked).toEqual(["namespace /run/x", "inside: set lo up", "inside: close"]);
});

test("tearing down silences the port at once and leaves the veth to its namespace's end", () => {
  const { host, asked } = setUp({ vethx: { index: 4, kind: "veth", master: 2 } });
  host.tearDown({ links: ["vethx", "gone"], namespaces: [] });
  expect(asked).toEqual(["disable bridge port 4"]);
});

test("a veth that never came into its bridge is deleted", () => {
  const { host, asked } = setUp({ vethx: { index: 4, kind: "veth" } });
  host.tearDown({ links: ["vethx"], namespaces: [] });
  expect(asked).toEqual(["delete link vethx"]);
});

test("bridges go with their last ports, the table after them", () => {
  const { host, asked } = setUp({
    berth0: { index: 2, kind: "bridge", alias: "berth" },
    vethx: { index: 4, kind: "veth", master: 2 },
    eth0: { index: 5, kind: "" },
  });
  host.removeAll({ bridges: ["berth0"], table: "berth-x" });
  expect(asked).toEqual(["delete link vethx", "delete link berth0", "nft add table inet berth-x"]);
});

test("an interface of the bridge's name that is no bridge is not touched", () => {
  const { host, asked } = setUp({ berth0: { index: 2, kind: "dummy" } });
  const plan = {
    name: "berth0",
    addresses: [],
    mac: Buffer.alloc(6),
    mtu: 1500,
    forward: false,
    ipv6: false,
  };
  const rules = { table: "t", bridges: [], published: [], routed: [] };
  expect(() => host.prepare({ bridges: [plan], ports: [], rules })).toThrow(
    "existing interface berth0 is not a bridge",
  );
  host.removeAll({ bridges: ["berth0"], table: "t" });
  expect(asked.filter((line) => line.includes("link"))).toEqual([]);
});

test("a sweep deletes the ports of the dead and keeps those of the living", () => {
  const { host, asked } = setUp({
    berth0: { index: 2, kind: "dummy" },
    live: { index: 4, kind: "veth", master: 2 },
    dead: { index: 5, kind: "veth", master: 2 },
  });
  const plan = {
    name: "berth0",
    addresses: [],
    mac: Buffer.alloc(6),
    mtu: 1500,
    forward: false,
    ipv6: false,
  };
  const rules = { table: "t", bridges: [], published: [], routed: [] };
  const sweep = () =>
    host.sweep({
      netnsFolder: "/nonexistent",
      namespaces: [],
      links: ["live"],
      bridges: [plan],
      ports: [],
      rules,
      table: "t",
    });
  expect(sweep).toThrow("is not a bridge"); // stands in for the kernel's settings, which a unit test leaves alone
  expect(asked.slice(0, 1)).toEqual(["delete link dead"]);
});

test("a bridge that the user made outlives its network", () => {
  const { host, asked } = setUp({ own0: { index: 2, kind: "bridge" } });
  host.removeBridge({ bridge: "own0", commands: "delete element" });
  expect(asked).toEqual(["nft delete element"]);
});
