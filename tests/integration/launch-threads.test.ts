import { expect, test } from "bun:test";
import { join } from "node:path";

test("a thread comes home from a mount namespace whatever threads the JavaScript engine starts meanwhile", async () => {
  const script = join(import.meta.dir, "fixtures/hot-in-namespace.ts");
  const child = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "pipe" });
  const [said, complaint, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect([code, said.trim(), complaint]).toEqual([0, "home", ""]);
}, 120_000);
