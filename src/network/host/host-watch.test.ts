import { expect, test } from "bun:test";
import { silentLogger } from "../../lib/log.ts";
import type { Changes, Found } from "../kernel/changes.ts";
import { HostWatch, type Sight } from "./host-watch.ts";

/** A watch of a kernel that has `found` to tell, and of a host side that answers as told; it has looked once, as it began. */
async function setUp(answers: Sight[] = []) {
  const found: Found[] = [];
  const looks: Found[] = [];
  let hear = (): void => undefined;
  let end = (): void => undefined;
  let closed = 0;
  const { promise: looked, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Found>();
  let began = false;
  const watch = new HostWatch({
    againMs: 1,
    listen: (heard, ended) => {
      hear = heard;
      end = ended;
      const take = (): Found => found.shift() ?? { rules: false, presence: false };
      return Promise.resolve({ take, close: () => void closed++ });
    },
    look: (what) => {
      if (!began) {
        began = true;
        begun.resolve(what);
        return Promise.resolve("well");
      }
      looks.push(what);
      const answer = answers.shift() ?? "mended";
      if (answers.length === 0 && answer !== "later" && answer !== "failed") resolve();
      return Promise.resolve(answer);
    },
    logger: silentLogger,
  });
  watch.start();
  const atFirst = await begun.promise;
  return { watch, atFirst, found, looks, looked, hear: () => hear(), end: () => end(), closed: () => closed };
}

test("what went before it listened is looked at as soon as it does", async () => {
  const { watch, atFirst } = await setUp();
  expect(atFirst).toEqual({ rules: false, presence: true });
  watch.stop();
});

test("what is heard while it is not yet listened to all is taken once it is", async () => {
  const listening = Promise.withResolvers<Changes>();
  const done = Promise.withResolvers<void>();
  const looks: Found[] = [];
  let taken = 0;
  const take = (): Found => {
    taken++;
    return { rules: false, presence: false };
  };
  const watch = new HostWatch({
    againMs: 1,
    listen: (heard) => {
      heard();
      return listening.promise;
    },
    look: (what) => {
      looks.push(what);
      if (looks.length === 1) listening.resolve({ take, close: () => undefined });
      else done.resolve();
      return Promise.resolve("well");
    },
    logger: silentLogger,
  });
  watch.start();
  await done.promise;
  expect(taken).toBe(1);
  expect(looks).toEqual([
    { rules: false, presence: false },
    { rules: false, presence: true },
  ]);
  watch.stop();
});

test("what is heard many times in a row is looked at once", async () => {
  const { watch, found, looks, looked, hear } = await setUp();
  found.push({ rules: true, presence: false });
  for (let times = 0; times < 1000; times++) hear();
  await looked;
  expect(looks).toEqual([{ rules: true, presence: false }]);
  watch.stop();
});

test.each<[string, Sight[]]>([
  ["what could not be looked at is not forgotten", ["later", "well"]],
  ["what could not be made is made later, and all that came meanwhile", ["failed", "mended"]],
])("%s", async (_name, answers) => {
  const { watch, found, looks, looked, hear } = await setUp(answers);
  found.push({ rules: true, presence: false }, { rules: false, presence: true });
  hear();
  await looked;
  expect(looks).toEqual([
    { rules: true, presence: false },
    { rules: true, presence: true },
  ]);
  watch.stop();
});

test("a stopped watch hears nothing, also when it was stopped before it listened", async () => {
  const { watch, found, looks, hear, closed } = await setUp();
  watch.stop();
  found.push({ rules: true, presence: false });
  hear();
  expect(closed()).toBe(1);
  watch.start();
  watch.stop();
  await Promise.resolve();
  await Promise.resolve();
  expect(closed()).toBe(2);
  expect(looks).toEqual([]);
});

test("at rest nothing is looked at; only where the kernel stops telling is it looked now and then", async () => {
  const { watch, looks, looked, end } = await setUp(["well", "well", "well"]);
  await Bun.sleep(20);
  expect(looks).toEqual([]);
  end();
  await looked;
  expect(looks).toEqual(Array.from({ length: 3 }, () => ({ rules: true, presence: true })));
  watch.stop();
});
