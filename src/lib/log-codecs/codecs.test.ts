import { expect, test } from "bun:test";
import { fluentdAck, fluentdEncoder } from "./fluentd.ts";
import { gelfDatagrams, gelfEncoder } from "./gelf.ts";
import { encodeJournald, journaldName } from "./journald.ts";
import type { LogMessage, LogSource } from "./message.ts";
import { pack } from "./msgpack.ts";
import { encodeSyslog, facilityNumber, type SyslogFormat } from "./syslog.ts";

const source: LogSource = {
  hostname: "host",
  containerId: "60e6a21c7376ce4391e415a0b98e15cce63dfa14ec0f4049787bd2337041e266",
  containerName: "web",
  imageId: "sha256:40a4",
  imageName: "busybox",
  command: "sh -c true",
  created: "2026-11-22T06:52:25.414524011Z",
  tag: "60e6a21c7376",
  extra: { team: "x" },
};
const timeNs = 1795330346_066012345n;
const message = (line: string, more: Partial<LogMessage> = {}): LogMessage => ({
  stream: 1,
  timeNs,
  line: Buffer.from(line),
  ...more,
});

test("syslog's forms are those of its documents, and each message ends as its transport needs", () => {
  const said = (format: SyslogFormat, more: Partial<LogMessage> = {}, counted = false): string =>
    encodeSyslog(message("hi", more), source, { format, facility: 3, pid: 7, counted }).toString();
  const local = new Date(Number(timeNs / 1_000_000n));
  const clock = local.toTimeString().slice(0, 8);
  expect(said("unix")).toBe(`<30>Nov 22 ${clock} 60e6a21c7376[7]: hi\n`);
  expect(said("rfc3164", { stream: 2 })).toBe(`<27>Nov 22 ${clock} host 60e6a21c7376[7]: hi\n`);
  expect(said("rfc5424")).toMatch(
    /^<30>1 2026-11-2\dT\d\d:\d\d:26(Z|[+-]\d\d:\d\d) host 60e6a21c7376 7 60e6a21c7376 - hi\n$/,
  );
  expect(said("rfc5424micro")).toContain(":26.066012");
  const counted = said("rfc5424", {}, true);
  const [size = "", rest = ""] = [
    counted.slice(0, counted.indexOf(" ")),
    counted.slice(counted.indexOf(" ") + 1),
  ];
  expect(Buffer.byteLength(rest)).toBe(Number(size));
});

test("facilities have names and numbers", () => {
  expect(["kern", "daemon", "local7", "23", "24", "zz", ""].map(facilityNumber)).toEqual([
    0,
    3,
    23,
    23,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a GELF message has the container's fields in order, and text that is always JSON", () => {
  const text = gelfEncoder(source)(message('a "b"\xff')).toString();
  expect(JSON.parse(text)).toMatchObject({
    version: "1.1",
    host: "host",
    timestamp: 1795330346.066,
    level: 6,
    _container_id: source.containerId,
    _container_name: "web",
    _team: "x",
  });
  expect(text.indexOf("_command")).toBeLessThan(text.indexOf("_container_id"));
});

test("GELF datagrams are chunked above 1420 bytes and refused above 128 chunks", () => {
  const id = Buffer.from("12345678");
  expect(gelfDatagrams(Buffer.alloc(1420), id)).toHaveLength(1);
  const chunks = gelfDatagrams(Buffer.alloc(1421, 7), id) ?? [];
  expect(chunks.map((chunk) => [...chunk.subarray(0, 2), chunk[10], chunk[11], chunk.length])).toEqual([
    [0x1e, 0x0f, 0, 2, 1420],
    [0x1e, 0x0f, 1, 2, 25],
  ]);
  expect(gelfDatagrams(Buffer.alloc(1408 * 128), id)).toHaveLength(128);
  expect(gelfDatagrams(Buffer.alloc(1408 * 128 + 1), id)).toBeUndefined();
});

test("MessagePack uses the shortest form of each length", () => {
  const start = (value: Parameters<typeof pack>[0]): number[] => [...pack(value).subarray(0, 3)];
  expect(start("abc")).toEqual([0xa3, 0x61, 0x62]);
  expect(start("x".repeat(31))[0]).toBe(0xbf);
  expect(start("x".repeat(32)).slice(0, 2)).toEqual([0xd9, 32]);
  expect(start("x".repeat(256))).toEqual([0xda, 1, 0]);
  expect(start("x".repeat(65536))).toEqual([0xdb, 0, 1]);
  expect(start([1, 200])).toEqual([0x92, 1, 0xce]);
  expect(start({ a: 1 })).toEqual([0x81, 0xa1, 0x61]);
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index}`, "v"]));
  expect(start(many)).toEqual([0xde, 0, 16]);
});

test("a fluentd event is tag, time, record and option", () => {
  const plain = fluentdEncoder(source, { subSecond: false })(message("hi"));
  expect([...plain.subarray(0, 2)]).toEqual([0x94, 0xac]);
  expect([plain[14], plain.readUInt32BE(15), plain[19]]).toEqual([0xce, 1795330346, 0x85]);
  expect(plain.at(-1)).toBe(0x80);
  const precise = fluentdEncoder(source, { subSecond: true })(message("hi"), "abc");
  expect([...precise.subarray(14, 16)]).toEqual([0xd7, 0]);
  expect([precise.readUInt32BE(16), precise.readUInt32BE(20)]).toEqual([1795330346, 66012345]);
  expect(precise.toString("latin1")).toEndWith("\x81\xa5chunk\xa3abc");
  expect(fluentdAck("abc").toString("latin1")).toBe("\x81\xa3ack\xa3abc");
});

test("parts of a line say which line and which part they are", () => {
  const partial = { id: "p", ordinal: 2, last: true };
  const event = fluentdEncoder(source, { subSecond: false })(message("hi", { partial })).toString("latin1");
  expect(event).toContain("partial_last\xa4true");
  const entry = encodeJournald(message("hi", { partial }), source).toString();
  expect(entry).toContain("CONTAINER_PARTIAL_ORDINAL=2\nCONTAINER_PARTIAL_LAST=true\n");
  expect(entry).not.toContain("CONTAINER_PARTIAL_MESSAGE"); // only parts that are not the last have it
});

test("a journald field with a newline is told by its length, and names cannot forge fields", () => {
  const entry = encodeJournald(message("hi"), { ...source, extra: { "_PID=1\n x": "a\nMESSAGE=forged" } });
  const at = entry.indexOf("PID_1__X\n");
  expect(at).toBeGreaterThan(0);
  expect(entry.readBigUInt64LE(at + 9)).toBe(BigInt("a\nMESSAGE=forged".length));
  expect(entry.toString()).toEndWith("\nMESSAGE=hi\n");
  expect(journaldName("1__my.label")).toBe("MY_LABEL");
});
