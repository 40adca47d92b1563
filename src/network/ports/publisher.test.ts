import { expect, test } from "bun:test";
import { detailOf } from "../../lib/errors.ts";
import type { PortRequest } from "../contract.ts";
import { setApart } from "./bound.ts";
import { checkPort, type PublishedPort, type PublishTarget, portMap, portRules } from "./published.ts";
import { Publisher } from "./publisher.ts";

const want = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
  port: 80,
  protocol: "tcp",
  hostIp: "",
  hostPort,
  hostPortEnd: hostPort,
  ...more,
});

const target: PublishTarget = {
  ipv4: "172.17.0.2",
  ipv6: "",
  routed4: false,
  routed6: false,
  bindAddress: "",
  owner: () => "web",
};

/** A host where `busy` ("ip port") are other programs'; records what is held. */
function setUp(busy: Record<string, string> = {}, defaultAddress = "") {
  const held: string[] = [];
  const led: string[] = [];
  const publisher = new Publisher({
    defaultAddress,
    hasIpv6: true,
    randomRange: { first: 32768, last: 32770 },
    socketsMax: 100,
    containerMax: 200,
    forward: async ({ hostIp, hostPort }) => {
      const key = `${hostIp} ${hostPort}`;
      if (busy[key]) throw Object.assign(new Error("listen"), { code: busy[key] });
      held.push(key);
      return {
        close: async () => {
          held.splice(held.indexOf(key), 1);
        },
        lead: ({ host }) => led.push(`${key} ${host}`),
      };
    },
  });
  const bind = async (...requests: PortRequest[]): Promise<PublishedPort[]> =>
    (await publisher.bind(requests, target)).map(({ published }) => published);
  return { publisher, held, led, bind };
}

test("a port without an address is held in both families", async () => {
  const { bind, held } = setUp();
  expect(portMap(await bind(want(8080)))).toEqual({
    "80/tcp": [
      { HostIp: "0.0.0.0", HostPort: "8080" },
      { HostIp: "::", HostPort: "8080" },
    ],
  });
  expect(held).toEqual(["0.0.0.0 8080", ":: 8080"]);
});

test("the engine's own default address takes the place of every address", async () => {
  const { bind, held } = setUp({}, "127.0.0.1");
  await bind(want(8080));
  expect(held).toEqual(["127.0.0.1 8080"]);
});

// recorded from Docker 28.5.2: the sentence names the address that has the port
test.each([
  ["", "", "0.0.0.0"],
  ["127.0.0.1", "127.0.0.1", "127.0.0.1"],
  ["", "127.0.0.1", "0.0.0.0"],
  ["127.0.0.1", "", "127.0.0.1"],
  ["", "::1", "::"],
])("a port held at %p is refused at %p, naming %p", async (first, second, named) => {
  const { bind, publisher } = setUp();
  await bind(want(8080, { hostIp: first }));
  const sentence = `Bind for ${named}:8080 failed: port is already allocated`;
  expect(() => publisher.precheck([want(8080, { hostIp: second })], target)).toThrow(sentence);
  expect(bind(want(8080, { hostIp: second }))).rejects.toThrow(sentence);
});

test("the same port at two addresses, in two protocols and two families is free", async () => {
  const { bind } = setUp();
  await bind(want(53, { hostIp: "127.0.0.1" }), want(53, { hostIp: "127.0.0.2" }));
  await bind(want(53, { protocol: "udp" }), want(53, { hostIp: "::1" }));
});

test("another program's port is told with the reason, and nothing stays held", async () => {
  const { bind, held } = setUp({ ":: 81": "EADDRINUSE" });
  await expect(bind(want(80), want(81))).rejects.toThrow(
    "failed to bind host port for [::]:81:172.17.0.2:80/tcp: address already in use",
  );
  expect(held).toEqual([]);
  expect(await bind(want(80))).toHaveLength(2);
});

test("an address the host has not is told so", async () => {
  const { bind } = setUp({ "192.0.2.77 80": "EADDRNOTAVAIL" });
  await expect(bind(want(80, { hostIp: "192.0.2.77" }))).rejects.toThrow(
    "failed to bind host port for 192.0.2.77:80:172.17.0.2:80/tcp: cannot assign requested address",
  );
});

test("a range gives the first port that nobody has", async () => {
  const { bind } = setUp({ "0.0.0.0 8001": "EADDRINUSE" });
  await bind(want(8000));
  const [first] = await bind(want(8000, { hostPortEnd: 8002 }));
  expect(first?.hostPort).toBe(8002);
  await expect(bind(want(8000, { hostPortEnd: 8000 }))).rejects.toThrow("port is already allocated");
});

test("a full range is told in Docker's words", async () => {
  const { bind } = setUp();
  await bind(want(8000), want(8001));
  await expect(bind(want(8000, { hostPortEnd: 8001 }))).rejects.toThrow("all ports are allocated");
});

test("a range busy with other programs names the last port tried", async () => {
  const { bind } = setUp({ "0.0.0.0 8000": "EADDRINUSE", "0.0.0.0 8001": "EADDRINUSE" });
  await expect(bind(want(8000, { hostPortEnd: 8001 }))).rejects.toThrow(
    "failed to bind host port 8001 for 0.0.0.0:8000-8001:172.17.0.2:80/tcp: address already in use",
  );
});

test("port 0 takes the next free one of the local range, around its end", async () => {
  const { bind } = setUp({ "0.0.0.0 32769": "EADDRINUSE" });
  const ports = [await bind(want(0)), await bind(want(0))].map((list) => list[0]?.hostPort);
  expect(ports).toEqual([32768, 32770]);
  await expect(bind(want(0))).rejects.toThrow("32769");
});

test("released ports are free again", async () => {
  const { publisher, held } = setUp();
  await publisher.release(await publisher.bind([want(80)], target));
  expect(held).toEqual([]);
  publisher.precheck([want(80)], target);
});

test("after a restart a recorded port that another program took is reported, and counts as held", async () => {
  const { publisher, held } = setUp({ ":: 80": "EADDRINUSE" });
  const reports: string[] = [];
  const ports = ["0.0.0.0", "::"].map((hostIp) => ({
    protocol: "tcp" as const,
    port: 80,
    hostIp,
    hostPort: 80,
  }));
  await publisher.rebind(ports, target, (text) => reports.push(text));
  expect(held).toEqual(["0.0.0.0 80"]);
  expect(reports).toHaveLength(1);
  expect(() => publisher.precheck([want(80)], target)).toThrow("already allocated");
});

test("SCTP and IPv6: packet rules carry IPv4 alone, and SCTP has no IPv6 side", async () => {
  const { bind } = setUp();
  const ports = await bind(want(80), want(90, { protocol: "sctp", port: 9 }));
  expect(portRules(ports, target).published.map(({ hostIp, protocol }) => `${hostIp} ${protocol}`)).toEqual([
    "0.0.0.0 tcp",
    "0.0.0.0 sctp",
  ]);
});

test.each([
  [want(80, { port: 0 }), "invalid containerPort: 0"],
  [want(80, { port: 65536 }), "invalid containerPort: 65536"],
  [want(70000), "invalid hostPort: 70000"],
  [want(-1), "invalid hostPort: -1"],
  [want(80, { hostIp: "1.2.3" }), "invalid IP address: 1.2.3"],
])("an impossible port is refused: %#", (request, sentence) => {
  expect(() => checkPort(request)).toThrow(sentence);
});

test("a container of both families is published in both by rules", async () => {
  const { publisher } = setUp();
  const dual = { ...target, ipv6: "fd00::2" };
  const ports = (await publisher.bind([want(80)], dual)).map(({ published }) => published);
  expect(
    portRules(ports, dual).published.map(({ hostIp, containerIp }) => `${hostIp} ${containerIp}`),
  ).toEqual(["0.0.0.0 172.17.0.2", ":: fd00::2"]);
});

test("a container without IPv4 is published in IPv6 alone", async () => {
  const { publisher, held } = setUp();
  await publisher.bind([want(80)], { ...target, ipv4: "", ipv6: "fd00::2" });
  expect(held).toEqual([":: 80"]);
});

test("a network's own address for published ports goes before the engine's", async () => {
  const { publisher, held } = setUp({}, "127.0.0.1");
  await publisher.bind([want(80)], { ...target, bindAddress: "127.0.0.9" });
  expect(held).toEqual(["127.0.0.9 80"]);
});

test("a routed network takes no port of the host: Docker tells an empty one", async () => {
  const { publisher, held } = setUp();
  const routed = { ...target, routed4: true };
  const ports = (await publisher.bind([want(80)], routed)).map(({ published }) => published);
  expect(held).toEqual([":: 80"]);
  expect(portMap(ports)["80/tcp"]).toEqual([
    { HostIp: "0.0.0.0", HostPort: "" },
    { HostIp: "::", HostPort: "80" },
  ]);
  expect(portRules(ports, routed)).toEqual({
    published: [],
    routed: [{ protocol: "tcp", containerIp: "172.17.0.2", containerPort: 80 }],
  });
});

test("who has a port is told beside Docker's sentence", async () => {
  const { bind } = setUp();
  await bind(want(80));
  const error = await bind(want(80)).catch((refusal: unknown) => refusal);
  expect(detailOf(error)).toBe("port 80/tcp is published by container web");
});

const many = want(1000, { port: 1000, count: 500 });
const run = { protocol: "tcp" as const, port: 1000, hostIp: "0.0.0.0", hostPort: 1000, count: 500 };

test("a range of a few ports has a socket for each; beyond, the rules carry it as one, in the families they can", async () => {
  const { bind, held } = setUp();
  expect(await bind(want(90, { port: 90, count: 2 }))).toHaveLength(4);
  expect(held).toEqual(["0.0.0.0 90", ":: 90", "0.0.0.0 91", ":: 91"]);
  expect(await bind(many)).toEqual([run]);
  expect(held).toHaveLength(4);
});

test("ranges at addresses from which no rule leads have sockets, and too many of those are refused", async () => {
  const { bind, held, publisher } = setUp();
  const local = { ...want(1000, { port: 1000, count: 150 }), hostIp: "::1" };
  expect(await bind(local)).toHaveLength(150);
  expect(held).toHaveLength(150);
  await expect(publisher.bind([local], { ...target, ipv6: "fd00::2" })).rejects.toThrow("already allocated");
  const sentence =
    "500 ports are too many to be published one by one (at most 200; ranges of more than 100 do not count)";
  expect(() => publisher.precheck([{ ...many, hostIp: "::1" }], target)).toThrow(sentence);
});

test("ranges that overlap another's range or port are refused, naming the lowest that is taken", async () => {
  const { bind, publisher } = setUp();
  await bind(want(1400), want(1300, { hostIp: "127.0.0.1" }));
  const sentence = "Bind for 127.0.0.1:1300 failed: port is already allocated";
  expect(() => publisher.precheck([many], target)).toThrow(sentence);
  await expect(bind(many)).rejects.toThrow(sentence);
  await bind(want(3000, { port: 3000, count: 500 }));
  await expect(bind(want(3499))).rejects.toThrow("Bind for 0.0.0.0:3499 failed");
  await expect(bind(want(2900, { port: 1, count: 101 }))).rejects.toThrow("Bind for 0.0.0.0:3000 failed");
  await bind(want(3499, { protocol: "udp" }), want(3500));
});

const report = (text: string): never => {
  throw new Error(text);
};

test("ports that move stay held where they are asked for again, and lead to the new target", async () => {
  const { publisher, held, led } = setUp();
  const before = await publisher.bind([want(80), want(81, { port: 81 })], target);
  const next = { ...target, ipv4: "172.18.0.2", owner: () => "renamed" };
  const moved = await publisher.move(before, [want(80), want(82, { port: 82 })], next, report);
  expect(held).toEqual(["0.0.0.0 80", ":: 80", "0.0.0.0 81", ":: 81", "0.0.0.0 82", ":: 82"]);
  expect(moved.left.map(({ published }) => published.hostPort)).toEqual([81, 81]);
  publisher.lead(moved.bound, next);
  await publisher.release(moved.left);
  expect(led).toContain("0.0.0.0 80 172.18.0.2");
  expect(held).toEqual(["0.0.0.0 80", ":: 80", "0.0.0.0 82", ":: 82"]);
  const error = await publisher.bind([want(80)], target).catch((refusal: unknown) => refusal);
  expect(detailOf(error)).toBe("port 80/tcp is published by container renamed");
});

test("a move that fails leaves what was held, also what stood in the way of the new", async () => {
  const { publisher, held } = setUp({ "0.0.0.0 82": "EADDRINUSE" });
  const local = { ...target, bindAddress: "127.0.0.1" };
  const before = await publisher.bind([want(80), want(81, { port: 81 })], local);
  const requests = [want(80), want(82, { port: 82 })];
  await expect(publisher.move(before, requests, target, report)).rejects.toThrow("address already in use");
  expect(held.sort()).toEqual(["127.0.0.1 80", "127.0.0.1 81"]);
  expect(before.map(({ published }) => published.hostPort).sort()).toEqual([80, 81]);
  expect(() => publisher.precheck([want(80)], target)).toThrow("already allocated");
});

test("a short rest of a range that rules carry stays theirs when it moves, whoever listens there meanwhile", async () => {
  const { publisher, held } = setUp({ "0.0.0.0 1005": "EADDRINUSE" });
  const [whole] = await publisher.bind([many], target);
  if (!whole) throw new Error("nothing is bound");
  const before = setApart(whole, [{ port: 1010, protocol: "tcp" }]).filter(
    ({ published }) => published.port !== 1010,
  );
  const rest = [want(1000, { port: 1000, count: 10 }), want(1011, { port: 1011, count: 489 })];
  const moved = await publisher.move(before, rest, { ...target, ipv4: "172.18.0.2" }, report);
  expect(moved.bound).toEqual(before);
  expect(moved.left).toEqual([]);
  expect(held).toEqual([]);
});

test("one port of a range set apart leaves the others one by one or as ranges", async () => {
  const { publisher } = setUp();
  const [bound] = await publisher.bind([many], target);
  if (!bound) throw new Error("nothing is bound");
  const parts = setApart(bound, [
    { port: 1001, protocol: "tcp" },
    { port: 1200, protocol: "udp" },
  ]);
  expect(parts.map(({ published: { port, hostPort, count } }) => [port, hostPort, count])).toEqual([
    [1000, 1000, undefined],
    [1001, 1001, undefined],
    [1002, 1002, 498],
  ]);
  expect(setApart(bound, [])).toEqual([bound]);
});
