import { expect, test } from "bun:test";
import { isObjectName, randomName } from "../container/names.ts";
import { signalNumber } from "../container/signals.ts";
import { parsePort, parseRange } from "./ports.ts";

test("ports have a protocol, tcp where none is said, and may be ranges", () => {
  expect(parsePort("80")).toEqual({ first: 80, last: 80, protocol: "tcp" });
  expect(parsePort("8000-8010/UDP")).toEqual({ first: 8000, last: 8010, protocol: "udp" });
  for (const text of ["", "x", "80/foo", "99999", "9-8", "80/tcp/tcp", "-1"])
    expect(parsePort(text)).toBeUndefined();
  expect(parseRange("1-65535")).toEqual({ first: 1, last: 65535 });
});

test("signals are known by name, with and without SIG, and by number", () => {
  expect(["9", "KILL", "sigkill", "SIGTERM", "RTMIN+3", "RTMAX"].map(signalNumber)).toEqual([
    9, 9, 9, 15, 37, 64,
  ]);
  for (const text of ["", "0", "65", "NOPE", "-1", "9x", "RTMIN+16", "RTMAX-15"])
    expect(signalNumber(text)).toBeUndefined();
});

test("a made-up name is a valid one, and later tries have digits", () => {
  expect(isObjectName(randomName(0))).toBe(true);
  expect(randomName(9)).toMatch(/^[a-z]+_[a-z]+\d+$/);
  for (const name of ["a", "-ab", "a b", "é", ""]) expect(isObjectName(name)).toBe(false);
});
