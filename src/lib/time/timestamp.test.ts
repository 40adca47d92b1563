import { expect, test } from "bun:test";
import { parseTimestamp } from "./timestamp.ts";

const now = 1_000_000_000_000_000_000n;

test.each([
  ["10m", now - 600_000_000_000n],
  ["-1h", now + 3_600_000_000_000n],
  ["0", 0n],
  ["2020", 2_020_000_000_000n],
  ["1.5", 1_500_000_000n],
  ["2020-01-01T00:00:00Z", 1_577_836_800_000_000_000n],
  ["2020-01-01T00:00:00.25Z", 1_577_836_800_250_000_000n],
  ["2020-01-01T01:00+01:00", 1_577_836_800_000_000_000n],
  ["2020-01-02T00:30:00+24:30", 1_577_836_800_000_000_000n],
  ["2019-12-30T23:00:00-24:60", 1_577_836_800_000_000_000n],
  ["2020-01-01Z", 1_577_836_800_000_000_000n],
])("%s is a moment", (text, expected) => {
  expect(parseTimestamp(text, now)).toBe(expected);
});

test("a local time has no zone", () => {
  expect(parseTimestamp("2020-01-02T15:04", now)).toBe(BigInt(Date.parse("2020-01-02T15:04")) * 1_000_000n);
});

test.each([
  ["-1", 'parsing time "-1" as "2006-01-02": cannot parse "-1" as "2006"'],
  ["2020-01", 'parsing time "2020-01" as "2006-01-02": cannot parse "" as "-"'],
  ["2020-13-01", 'parsing time "2020-13-01": month out of range'],
  ["2020-02-30", 'parsing time "2020-02-30": day out of range'],
  ["2020-01-01T25:00", 'parsing time "2020-01-01T25:00": hour out of range'],
  ["2020-01-01x", 'parsing time "2020-01-01x": extra text: "x"'],
  [
    "2020-01-01T00:00:00+99:99",
    'parsing time "2020-01-01T00:00:00+99:99": time zone offset minute out of range',
  ],
  [
    "2020-02-30T00:00:00-25:60x",
    'parsing time "2020-02-30T00:00:00-25:60x": time zone offset hour out of range',
  ],
  ["today", 'failed to parse value as time or duration: "today"'],
  ["1.2.3", 'failed to parse value as time or duration: "1.2.3"'],
])("%s is refused in Go's words", (text, sentence) => {
  expect(() => parseTimestamp(text, now)).toThrow(sentence);
});
