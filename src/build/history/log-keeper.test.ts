import { expect, test } from "bun:test";
import { LogKeeper } from "./log-keeper.ts";

const piece = (vertex: string, text: string) =>
  ({ vertex, stream: 1, time: 1, data: Buffer.from(text) }) as const;

test("what steps print is told by their place in the record", () => {
  const keeper = new LogKeeper();
  keeper.add(piece("b", "two"));
  keeper.add(piece("gone", "x"));
  expect(keeper.logs(["a", "b"])).toEqual([
    { step: 1, stream: 1, time: 1, data: Buffer.from("two").toString("base64") },
  ]);
});

test("of endless output the end is kept", () => {
  const keeper = new LogKeeper();
  for (let n = 0; n < 10_000; n++) keeper.add(piece("a", `${n}`.padEnd(1000)));
  const logs = keeper.logs(["a"]);
  expect(logs.length).toBeWithin(900, 1100);
  expect(Buffer.from(logs.at(-1)?.data ?? "", "base64").toString()).toStartWith("9999 ");
});
