import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountByContext, mountByOptions, mountOverlay, unmount } from "../../src/system/mount/mount.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-mount-"));
});
afterEach(() => {
  for (const name of readdirSync(root)) unmount(join(root, name, "merged"));
  rmSync(root, { recursive: true, force: true });
});

function overlay(name: string, lowers: number) {
  const folder = join(root, name);
  const lower = Array.from({ length: lowers }, (_, index) =>
    join(folder, `lower:${index},${"x".repeat(40)}`),
  );
  for (const path of [...lower, join(folder, "diff"), join(folder, "work"), join(folder, "merged")])
    mkdirSync(path, { recursive: true });
  lower.forEach((path, index) => void writeFileSync(join(path, `f${index}`), ""));
  return {
    lower,
    upper: join(folder, "diff"),
    work: join(folder, "work"),
    volatile: true,
    target: join(folder, "merged"),
  };
}

for (const [way, mount] of [
  ["the new mount API", mountByContext],
  ["mount(2)", mountByOptions],
] as const)
  test(`a hundred lower folders with colons and commas in their names mount by ${way}`, () => {
    const { target, ...options } = overlay("a", 100);
    const open: number[] = [];
    mount(options, target, open);
    for (const fd of open) closeSync(fd);
    expect(readdirSync(target)).toHaveLength(100);
    expect(unmount(target)).toBe(true);
    expect(unmount(target)).toBe(false);
  });

test("paths of over 255 bytes mount", () => {
  const { target, ...options } = overlay("n".repeat(240), 3);
  mountOverlay(options, target);
  expect(readdirSync(target)).toHaveLength(3);
});

test("what cannot be mounted is said, and nothing is left", () => {
  const { target, ...options } = overlay("a", 1);
  expect(() => mountOverlay({ ...options, upper: join(root, "missing") }, target)).toThrow(/ENOENT/);
  expect(readdirSync(target)).toEqual([]);
  expect(unmount(join(root, "nowhere"))).toBe(false);
});
