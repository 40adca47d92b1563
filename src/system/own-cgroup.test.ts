import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OwnCgroup } from "./own-cgroup.ts";

test("a process is moved to the group it is in, in the first hierarchy that is mounted", async () => {
  const root = mkdtempSync(join(tmpdir(), "berth-own-cgroup-"));
  try {
    const lines = readFileSync("/proc/self/cgroup", "latin1").trim().split("\n");
    const [, names = "", ...path] = (lines.at(-1) ?? "").split(":");
    const wanted = (names.split(",")[0] ?? "").replace(/^name=/, "");
    const folder = join(root, path.join(":"));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cgroup.procs"), "");
    const own = new OwnCgroup((hierarchy) => (hierarchy === wanted ? root : undefined));
    await own.moveHere();
    await own.moveHere();
    expect(readFileSync(join(folder, "cgroup.procs"), "utf8")).toBe(`${process.pid}`.repeat(2));
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("where no hierarchy is mounted, nothing is moved", async () => {
  await new OwnCgroup(() => undefined).moveHere();
});
