import { expect, test } from "bun:test";
import { messageOf } from "./errors.ts";
import { formatIdMap, parseIdMap } from "./id-map.ts";

test("ranges are read for users, groups or both", () => {
  const range = { disk: 1000, seen: 0, count: 1 };
  expect(parseIdMap("1000-0-1")).toEqual({ uids: [range], gids: [range] });
  const map = parseIdMap("uids=1000-0-1#0-1-10;gids=5-5-1");
  expect(map).toEqual({
    uids: [range, { disk: 0, seen: 1, count: 10 }],
    gids: [{ disk: 5, seen: 5, count: 1 }],
  });
  expect(parseIdMap(formatIdMap(map))).toEqual(map);
});

for (const text of [
  "",
  "uids=0-0-1",
  "0-0-0",
  "a-b-c",
  "0-0",
  "4294967295-0-1",
  "0-0-5#3-9-1",
  "0-0-5#9-3-1",
  "-1-0-1",
])
  test(`${JSON.stringify(text)} is refused`, () => {
    let told = "";
    try {
      parseIdMap(text);
    } catch (error) {
      told = messageOf(error);
    }
    expect(told).toStartWith(`invalid idmap ${JSON.stringify(text)}: `);
  });
