import { expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
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

test("writes that still wait when the process is elsewhere go to the group they were meant for", async () => {
  const root = mkdtempSync(join(tmpdir(), "berth-own-cgroup-"));
  const full = join(root, "first", "cgroup.procs");
  const list = join(root, "list");
  for (const group of ["first", "second"]) mkdirSync(join(root, group));
  writeFileSync(join(root, "second", "cgroup.procs"), "");
  expect(Bun.spawnSync(["mkfifo", full]).exitCode).toBe(0);
  const pipe = openSync(full, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const filled = fill(pipe);
    writeFileSync(list, "0::/first\n");
    const own = new OwnCgroup(() => root, list);
    // more than the pool has threads: the first block, the others are not begun
    const waiting = Array.from({ length: 64 }, () => own.moveHere());
    writeFileSync(list, "0::/second\n");
    const last = own.moveHere();
    let said = drain(pipe, filled);
    await Promise.all([...waiting, last]);
    said += drain(pipe, filled);
    expect(said).toBe(`${process.pid}`.repeat(64));
    expect(readFileSync(join(root, "second", "cgroup.procs"), "utf8")).toBe(`${process.pid}`);
  } finally {
    closeSync(pipe);
    rmSync(root, { recursive: true });
  }
});

/** Writes until the pipe takes no more; gives how much it took. */
function fill(pipe: number): number {
  const bytes = Buffer.alloc(4096);
  for (let size = 0; ; ) {
    try {
      size += writeSync(pipe, bytes);
    } catch (error) {
      if ((error as { code?: string }).code === "EAGAIN") return size;
      throw error;
    }
  }
}

/** Takes up to `size` bytes out; gives what is not the filling. */
function drain(pipe: number, size: number): string {
  const bytes = Buffer.alloc(size);
  try {
    return bytes.toString("latin1", 0, readSync(pipe, bytes)).replaceAll("\0", "");
  } catch (error) {
    if ((error as { code?: string }).code === "EAGAIN") return "";
    throw error;
  }
}
