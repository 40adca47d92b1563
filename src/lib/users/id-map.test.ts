import { expect, test } from "bun:test";
import { messageOf } from "../errors.ts";
import { formatIdMap, onDisk, parseIdMap, seenAs, subordinateRanges } from "./id-map.ts";

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

test("subordinate ranges of a user follow each other from the container's 0 on", () => {
  const text = "# comment\nother:1:2\nme:100000:1000\nbroken:x:1\nme:5:0\n7:9:9\nme:200000:65536\n";
  expect(subordinateRanges(text, ["me"])).toEqual([
    { disk: 0, seen: 100_000, count: 1000 },
    { disk: 1000, seen: 200_000, count: 65536 },
  ]);
  expect(subordinateRanges(text, ["nobody", "7"])).toEqual([{ disk: 0, seen: 9, count: 9 }]);
  expect(subordinateRanges(`me:4294967290:100\n`, ["me"])).toEqual([]);
  // the kernel takes 340 lines, two of which the engine needs
  const many = Array.from({ length: 400 }, (_, at) => `me:${100_000 + at * 2}:1\n`).join("");
  expect(subordinateRanges(many, ["me"])).toHaveLength(338);
});

test("ids go both ways through a map, and those it lacks go nowhere", () => {
  const ranges = [
    { disk: 0, seen: 100_000, count: 10 },
    { disk: 10, seen: 500, count: 1 },
  ];
  expect([0, 9, 10, 11].map((id) => seenAs(ranges, id))).toEqual([100_000, 100_009, 500, undefined]);
  expect([100_000, 500, 0].map((id) => onDisk(ranges, id))).toEqual([0, 10, undefined]);
});
