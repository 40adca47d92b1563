import { expect, test } from "bun:test";
import { formatNs, nowNs, parseNs } from "./time.ts";

test("a time is written as Go's RFC3339Nano writes it", () => {
  expect(formatNs(1_700_000_000_000_000_000n)).toBe("2023-11-14T22:13:20Z");
  expect(formatNs(1_700_000_000_120_000_000n)).toBe("2023-11-14T22:13:20.12Z");
  expect(formatNs(1_700_000_000_000_000_001n)).toBe("2023-11-14T22:13:20.000000001Z");
});

test("what was written is read again to the nanosecond", () => {
  const ns = 1_795_324_830_859_239_802n;
  expect(parseNs(formatNs(ns))).toBe(ns);
  expect(parseNs("2026-11-22T05:20:30.859239802+00:00")).toBe(ns);
  expect(parseNs("2026-11-22T07:20:30.859239802+02:00")).toBe(ns);
});

test("what is no time is undefined", () => {
  for (const text of ["", "now", "2026-11-22", "2026-13-40T00:00:00Z", "2026-11-22T05:20:30"])
    expect(parseNs(text)).toBeUndefined();
});

test("the clock is near the wall clock and does not stand still for long", async () => {
  const first = nowNs();
  await Bun.sleep(3);
  const before = Date.now();
  const second = nowNs();
  const after = Date.now();
  expect(second > first).toBe(true);
  expect(Number(second / 1_000_000n)).toBeWithin(before - 50, after + 50);
});
