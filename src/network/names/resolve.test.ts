import { expect, test } from "bun:test";
import { type } from "../../lib/dns/query.ts";
import { type AskOptions, question, readReply } from "../../lib/dns/testing.ts";
import { type Asker, resolve, type Transport } from "./resolve.ts";
import { NameTable } from "./table.ts";

const asker = (rest: Partial<Asker> = {}): Asker => ({
  networks: [
    { id: "n1", name: "net", links: {} },
    { id: "n2", name: "back.end", links: {} },
  ],
  forwards: true,
  ndotsSet: false,
  host: { ipv4: "10.0.0.1", ipv6: "" },
  ...rest,
});

function table(): NameTable {
  const names = new NameTable();
  const add = (endpointId: string, network: string, ipv4: string, more: string[] = [], ipv6 = ""): void =>
    names.announce({
      endpointId: `${endpointId} ${network}`,
      networkId: network,
      networkName: network === "n1" ? "net" : "back.end",
      names: [endpointId, ...more],
      ipv4,
      ipv6,
    });
  add("web", "n1", "10.0.0.2", ["pool"]);
  add("db", "n1", "10.0.0.3", ["pool"]);
  add("db", "n2", "10.0.1.3", [], "fd00::3");
  add("web.v2", "n2", "10.0.1.4");
  return names;
}

interface Ask extends AskOptions {
  kind?: number;
  transport?: Transport;
  from?: Asker;
}

/** The answer, or "forward". */
function ask(name: string, { kind = type.A, transport = "udp", from = asker(), ...options }: Ask = {}) {
  const decision = resolve(question(name, kind, options), transport, from, table());
  if (!decision) return undefined;
  return "reply" in decision ? readReply(decision.reply) : "forward";
}

const answers = (name: string, options: Ask = {}): string[] | string => {
  const reply = ask(name, options);
  return typeof reply === "object" ? reply.answers : String(reply);
};

test("a container's name has its address, for 600 seconds, whatever the case", () => {
  expect(ask("WEB")).toMatchObject({ rcode: 0, answers: ["10.0.0.2"], ttls: [600], flags: 0x8180 });
});

test("the first network that has the name answers, and name.network asks one of them", () => {
  expect(answers("db")).toEqual(["10.0.0.3"]);
  expect(answers("db.back.end")).toEqual(["10.0.1.3"]);
  expect(answers("web.v2")).toEqual(["10.0.1.4"]);
  expect(answers("web.v2.back.end")).toEqual(["10.0.1.4"]);
  expect(answers("web.back.end")).toBe("forward");
});

test("names of networks in which the asker is not stay unknown", () => {
  const from = asker({ networks: [{ id: "n1", name: "net", links: {} }] });
  expect(answers("web.v2", { from })).toBe("forward");
});

test("a shared name has all addresses, in changing order", () => {
  const orders = new Set<string>();
  for (let round = 0; round < 60; round++) orders.add(String(answers("pool")));
  expect([...orders].sort()).toEqual(["10.0.0.2,10.0.0.3", "10.0.0.3,10.0.0.2"]);
});

test("a known name without an address of the family has none, and is not asked outside", () => {
  expect(ask("web", { kind: type.AAAA })).toMatchObject({ rcode: 0, answers: [] });
  expect(answers("db", { kind: type.AAAA })).toEqual(["fd000000000000000000000000000003"]);
});

test("other types of a known name are empty; of an unknown one they go outside", () => {
  for (const kind of [type.MX, 16, 33, 65, 255])
    expect(ask("web", { kind })).toMatchObject({ rcode: 0, answers: [] });
  expect(answers("example.org", { kind: type.MX })).toBe("forward");
});

test("an address has the container's name and network", () => {
  expect(answers("3.1.0.10.in-addr.arpa", { kind: type.PTR })).toEqual(["db.back.end"]);
  expect(answers("9.1.0.10.in-addr.arpa", { kind: type.PTR })).toBe("forward");
});

test("a link is another name for one container, for who asked for it", () => {
  const from = asker({ networks: [{ id: "n1", name: "net", links: { database: "db" } }] });
  expect(answers("database", { from })).toEqual(["10.0.0.3"]);
  expect(answers("database.net", { from })).toEqual(["10.0.0.3"]);
  expect(answers("database")).toBe("forward");
  expect(answers("constructor", { from })).toBe("forward");
});

test("the host has its names", () => {
  for (const name of ["host.docker.internal", "gateway.docker.internal"]) {
    expect(answers(name)).toEqual(["10.0.0.1"]);
    expect(answers(name, { kind: type.AAAA })).toEqual([]);
    expect(answers(name, { from: asker({ host: { ipv4: "", ipv6: "" } }) })).toBe("forward");
  }
});

test("without a way out unknown names fail at once", () => {
  const from = asker({ forwards: false });
  expect(ask("example.org", { from })).toMatchObject({ rcode: 2, answers: [], flags: 0x8102 });
  expect(answers("web", { from })).toEqual(["10.0.0.2"]);
});

test("with ndots set, a name without a dot is not asked outside", () => {
  const from = asker({ ndotsSet: true });
  expect(ask("example", { from })).toMatchObject({ rcode: 0, answers: [] });
  expect(answers("example", { from, kind: type.MX })).toBe("forward");
  expect(answers("example.org", { from })).toBe("forward");
});

test("what does not fit is cut over UDP and whole over TCP", () => {
  const names = new NameTable();
  for (let index = 0; index < 300; index++)
    names.announce({
      endpointId: `e${index}`,
      networkId: "n1",
      networkName: "net",
      names: ["many"],
      ipv4: `10.1.${index >> 8}.${index & 255}`,
      ipv6: "",
    });
  const reply = (transport: Transport, edns?: number) => {
    const bytes = question("many", type.A, edns === undefined ? {} : { edns });
    const decision = resolve(bytes, transport, asker(), names);
    if (!decision || !("reply" in decision)) throw new Error("no answer");
    return { size: decision.reply.length, ...readReply(decision.reply) };
  };
  const short = reply("udp");
  expect(short.truncated).toBeTrue();
  expect(short.size).toBeLessThanOrEqual(512);
  expect(short.answers.length).toBe(Math.floor((512 - 12 - 10) / 16));
  expect(reply("udp", 1232).size).toBeLessThanOrEqual(1232);
  expect(reply("udp", 8192)).toMatchObject({ truncated: false, additional: 1 });
  expect(new Set(reply("tcp").answers).size).toBe(300);
});

test("what is no query gets a header or nothing", () => {
  const broken = question("web", type.A);
  broken.writeUInt16BE(2, 4);
  const decision = resolve(broken, "udp", asker(), table());
  expect(decision && "reply" in decision && decision.reply.toString("hex")).toBe("123481010000000000000000");
  expect(ask("web", { flags: 2 << 11 })).toMatchObject({ rcode: 4, answers: [] });
  expect(ask("web", { flags: 0x8000 })).toBeUndefined();
});
