import { expect, test } from "bun:test";
import { silentLogger } from "../../lib/log.ts";
import { ClockWatch } from "./clock.ts";
import { GcSchedule } from "./schedule.ts";

test("a clock that goes on, or a machine that slept, is no clock that was set", () => {
  let [wall, boot] = [1_000_000_000_000, 50_000];
  const watch = new ClockWatch(
    () => wall,
    () => boot,
  );
  expect(watch.wasSet()).toBe(false);
  wall += 30 * 24 * 3600_000;
  boot += 30 * 24 * 3600_000;
  expect(watch.wasSet()).toBe(false);
  wall += 365 * 24 * 3600_000;
  expect([watch.wasSet(), watch.wasSet()]).toEqual([true, false]);
  wall -= 3 * 3600_000;
  expect([watch.wasSet(), watch.wasSet()]).toEqual([true, false]);
});

test("the turn after the clock was set removes nothing by age, and the next one does", async () => {
  const asked: unknown[] = [];
  const gc = async (request: unknown) => {
    asked.push(request);
    return { removed: [], bytes: 0, kept: [], dryRun: false };
  };
  const set = [true, false];
  const schedule = new GcSchedule(gc, silentLogger, { wasSet: () => set.shift() ?? false });
  await schedule.run({ policy: { unusedForMs: 1 }, everyMs: 3600_000 });
  expect(asked).toEqual([]);
  await schedule.run({ policy: { unusedForMs: 1 }, everyMs: 3600_000 });
  expect(asked).toEqual([{ unusedForMs: 1 }]);
  set.push(true);
  await schedule.run({ policy: { unusedForMs: 1, keepBytes: 7 }, everyMs: 3600_000 });
  expect(asked[1]).toEqual({ keepBytes: 7 });
});
