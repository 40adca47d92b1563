import { afterAll, expect, test } from "bun:test";
import { lstatSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveTo } from "./save.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-save-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is said of a path, before the engine was asked for anything. */
const refused = (path: string): Promise<string> =>
  saveTo(path, "export", () => Promise.reject(new Error("asked"))).then(
    () => "saved",
    (error) => (error as Error).message,
  );

test("what is no file is never replaced by one", async () => {
  const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  symlinkSync("nowhere", link);
  const text = "failed to export container: cannot write to a";
  expect(await refused(pipe)).toBe(`${text} named pipe (FIFO)`);
  expect(await refused(link)).toBe(`${text} symbolic link directly`);
  expect(await refused(folder)).toBe(`${text} directory`);
  expect(await refused("/dev/null")).toBe(`${text} character device file`);
  expect(await refused(`${folder}/none/x`)).toContain("invalid output path: stat");
  expect(await refused("/dev/null/x")).toContain("invalid output path: stat /dev/null: not a directory");
  expect(readdirSync(folder).sort()).toEqual(["link", "pipe"]);
  expect(lstatSync(pipe).isFIFO() && lstatSync(link).isSymbolicLink()).toBe(true);
});

test("a request that fails leaves nothing behind", async () => {
  expect(await refused(join(folder, "new"))).toBe("asked");
  expect(readdirSync(folder)).not.toContain("new");
});
