import { expect, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { ProgramPages } from "./memory.ts";

/** kB of this process's executable that are mapped and not its own copy. */
function mapped(): number {
  const path = realpathSync("/proc/self/exe");
  let own = false;
  let sum = 0;
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    if (/^[0-9a-f]+-/.test(line)) own = / r-xp .* \//.test(line) && line.endsWith(path);
    else if (own) sum += Number(/^Rss: +(\d+) kB/.exec(line)?.[1] ?? 0);
  }
  return sum;
}

test("a released program goes on, with less of it mapped", () => {
  const before = mapped();
  const pages = new ProgramPages();
  pages.find();
  pages.release();
  expect(mapped()).toBeLessThan(before);
  expect([3, 1, 2].toSorted().join()).toBe("1,2,3");
});
