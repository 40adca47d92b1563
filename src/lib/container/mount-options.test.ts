import { expect, test } from "bun:test";
import { parseMountOptions } from "./mount-options.ts";

const cases: [text: string, flags: number, data: string, propagation: number][] = [
  ["", 0, "", 0],
  ["bind", 0x1000, "", 0],
  ["rbind,ro", 0x5001, "", 0],
  ["ro,rw", 0, "", 0],
  ["addr=10.0.0.1,rw,nolock", 0, "addr=10.0.0.1,nolock", 0],
  ["size=1m,uid=1000,mode=750,nosuid,noexec", 10, "size=1m,uid=1000,mode=750", 0],
  ["bind,rshared", 0x1000, "", 0x104000],
  ["private", 0, "", 0x40000],
  ["toString,constructor", 0, "toString,constructor", 0],
];
for (const [text, flags, data, propagation] of cases)
  test(`${JSON.stringify(text)} is told apart`, () => {
    expect(parseMountOptions(text)).toEqual({ flags, data, propagation });
  });
