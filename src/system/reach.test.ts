import { expect, test } from "bun:test";
import { reach } from "./reach.ts";

test("what is there and what is not there are answers", async () => {
  await reach(["/", "/no/such/path", "relative"]);
});

test("a file system that hangs is told, and asked once however often it is wanted", async () => {
  let asked = 0;
  let answer: () => void = () => undefined;
  const look = (): Promise<void> => {
    asked++;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const tries = [1, 2, 3].map(() => reach(["/hangs"], { look, limitMs: 20 }));
  for (const ended of await Promise.allSettled(tries))
    expect(ended.status === "rejected" && String(ended.reason)).toContain(
      "stat /hangs: its file system does not answer",
    );
  expect(asked).toBe(1);
  answer();
  await Bun.sleep(1);
  const again = reach(["/hangs"], { look, limitMs: 1000 });
  answer();
  await again;
  expect(asked).toBe(2);
});
