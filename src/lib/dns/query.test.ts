import { expect, test } from "bun:test";
import { isAnswerTo, parseQuery, type } from "./query.ts";
import { question } from "./testing.ts";

test("a query's name is read without case, its type and EDNS size too", () => {
  const bytes = question("Web.Example", type.AAAA, { edns: 1232 });
  expect(parseQuery(bytes)).toMatchObject({
    id: 0x1234,
    name: "web.example",
    type: type.AAAA,
    udpSize: 1232,
    edns: true,
    questionEnd: 12 + 13 + 4,
  });
});

test("without EDNS, or with a size below it, an answer may have 512 bytes", () => {
  expect(parseQuery(question("a", type.A))).toMatchObject({ udpSize: 512, edns: false });
  expect(parseQuery(question("a", type.A, { edns: 100 }))).toMatchObject({ udpSize: 512, edns: true });
});

test("the root is the empty name, and a dot within a label is no separator", () => {
  expect(parseQuery(question("", type.A))).toMatchObject({ name: "" });
  const bytes = question("aXb", type.A);
  bytes[14] = 46;
  expect(parseQuery(bytes)).toMatchObject({ name: "a\\.b" });
});

test("answers and stubs of messages are passed over", () => {
  expect(parseQuery(question("a", type.A, { flags: 0x8180 }))).toBe("ignore");
  expect(parseQuery(Buffer.of(0))).toBe("ignore");
  expect(parseQuery(question("a", type.A).subarray(0, 12))).toBe("ignore");
});

test("operations other than a query and a notification are not implemented", () => {
  expect(parseQuery(question("a", type.A, { flags: 5 << 11 }))).toBe("notImplemented");
  expect(parseQuery(question("a", type.A, { flags: 4 << 11 }))).toMatchObject({ name: "a" });
});

test("a cut, pointing or overlong name is malformed", () => {
  const whole = question("abc", type.A);
  for (let length = 13; length < whole.length; length++)
    expect(parseQuery(whole.subarray(0, length))).toBe("malformed");
  const pointing = Buffer.concat([whole.subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)]);
  expect(parseQuery(pointing)).toBe("malformed");
  expect(parseQuery(question(`${"a.".repeat(127)}b`, type.A))).toBe("malformed");
  expect(parseQuery(question("a.".repeat(127), type.A))).toMatchObject({
    name: "a.".repeat(127).slice(0, -1),
  });
});

test("counts that no client sends are malformed", () => {
  const two = question("a", type.A);
  two.writeUInt16BE(2, 4);
  expect(parseQuery(two)).toBe("malformed");
  const missing = question("a", type.A);
  missing.writeUInt16BE(1, 10);
  expect(parseQuery(missing)).toBe("malformed");
});

test("no bytes, however random, make it throw or read on for ever", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const next = (): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state >> 16;
  };
  for (let round = 0; round < 5000; round++) {
    const bytes = question("some.name.test", type.A, { edns: 4096 });
    for (let change = next() % 6; change >= 0; change--) bytes[next() % bytes.length] = next() & 255;
    const length = next() % (bytes.length + 1);
    expect(() => parseQuery(bytes.subarray(0, length)), `seed ${seed}`).not.toThrow();
  }
});

test("an answer belongs to a query by id and question", () => {
  const query = question("Some.Name", type.A);
  const end = query.length;
  const reply = Buffer.from(question("some.name", type.A, { flags: 0x8180 }));
  expect(isAnswerTo(reply, query, end)).toBeTrue();
  expect(isAnswerTo(question("some.name", type.A), query, end)).toBeFalse();
  expect(isAnswerTo(question("some.name", type.A, { id: 1, flags: 0x8180 }), query, end)).toBeFalse();
  expect(isAnswerTo(question("same.name", type.A, { flags: 0x8180 }), query, end)).toBeFalse();
  expect(isAnswerTo(reply.subarray(0, end - 1), query, end)).toBeFalse();
});
