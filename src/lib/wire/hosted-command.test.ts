import { expect, test } from "bun:test";
import { decodeCommand, encodeCommand, type HostedCommand, MalformedCommand } from "./hosted-command.ts";

const command: HostedCommand = {
  build: "0.1.0-abc",
  folder: "/root/a b\nc",
  terminals: [false, true, false],
  window: { rows: 24, columns: 80 },
  variables: new Map([["HOME", "/root=x"]]),
  args: ["create", "", "-e", "Ä=\n", "--"],
};

const body = (...strings: string[]): Uint8Array =>
  new TextEncoder().encode(strings.map((text) => `${text}\0`).join(""));

test("what is encoded is decoded as it was", () => {
  expect(decodeCommand(encodeCommand(command))).toEqual(command);
});

test("a command line without arguments or variables is one, too", () => {
  expect(decodeCommand(body("b", "/", "000 0 0", "0"))).toMatchObject({ args: [], variables: new Map() });
});

test.each([
  ["nothing at all", new Uint8Array(0)],
  ["no end", new TextEncoder().encode("b\0/\x00000 0 0\x000\0ps")],
  ["too few strings", body("b", "/", "000 0 0")],
  ["a relative folder", body("b", "x", "000 0 0", "0", "ps")],
  ["a count that is none", body("b", "/", "000 0 0", "-1", "ps")],
  ["a huge count", body("b", "/", "000 0 0", "999999999999999", "ps")],
  ["a count past the end", body("b", "/", "000 0 0", "2", "A=b")],
  ["no terminals", body("b", "/", "00 0 0", "0", "ps")],
  ["a window of signs", body("b", "/", "000 -1 0", "0", "ps")],
  ["a variable without a name", body("b", "/", "000 0 0", "1", "=b", "ps")],
  ["bytes that are no UTF-8", new Uint8Array([...body("b", "/", "000 0 0", "0"), 0xff, 0])],
])("a body with %s is refused", (_what, bytes) => {
  expect(() => decodeCommand(bytes)).toThrow(MalformedCommand);
});
