import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copy } from "./copy.ts";
import { makeFolder } from "./folder.ts";
import type { CopyInput } from "./worker/requests.ts";

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const work = mkdtempSync(join(tmpdir(), "berth-target-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

let serial = 0;
function layer(): { upper: string; outside: string } {
  const outside = join(work, String(++serial));
  const upper = join(outside, "a", "upper");
  mkdirSync(upper, { recursive: true });
  return { upper, outside };
}

const put = (upper: string, input: CopyInput, destination: string, chmod = "") =>
  copy({
    inputs: [input],
    upper,
    destination,
    follow: false,
    ...owner,
    chowns: false,
    chmod,
    scratch: join(work, "scratch"),
  });

const text: CopyInput = { kind: "text", name: "file", content: "x" };

test("a destination ends at the layer's root, whatever it says", async () => {
  for (const destination of ["/../../escaped/", "/a/../../../escaped/", "/./../../escaped/"]) {
    const { upper, outside } = layer();
    await put(upper, text, destination);
    expect(existsSync(join(outside, "escaped"))).toBe(false);
    expect(readFileSync(join(upper, "escaped/file"), "utf8")).toBe("x");
  }
});

test("a name does not lead out of the layer either", async () => {
  const { upper, outside } = layer();
  await expect(put(upper, { ...text, name: "../../../escaped/file" }, "/d/")).rejects.toThrow("invalid path");
  expect(existsSync(join(outside, "escaped"))).toBe(false);
});

test("a working folder ends at the layer's root", () => {
  const { upper, outside } = layer();
  makeFolder({ upper, path: "/../../escaped", ...owner });
  expect(existsSync(join(outside, "escaped"))).toBe(false);
  expect(existsSync(join(upper, "escaped"))).toBe(true);
});

test("a destination that ends in a dot is a folder", async () => {
  const { upper } = layer();
  await put(upper, text, "/new/.");
  expect(readFileSync(join(upper, "new/file"), "utf8")).toBe("x");
});

test("a fifo that might be an archive is copied, not opened", async () => {
  const { upper, outside } = layer();
  const root = join(outside, "context");
  mkdirSync(root);
  writeFileSync(join(root, "file"), "x");
  Bun.spawnSync(["mkfifo", join(root, "fifo")]);
  const tree = { root, patterns: ["/fifo"], ignore: [], exclude: [], parents: false };
  await put(upper, { kind: "tree", tree, unpack: true }, "/d/");
  expect(existsSync(join(upper, "d/fifo"))).toBe(true);
});

test("--chmod changes neither an archive's files nor the folder that they go into", async () => {
  const { upper, outside } = layer();
  const root = join(outside, "context");
  mkdirSync(root);
  writeFileSync(join(root, "file"), "x", { mode: 0o644 });
  Bun.spawnSync(["tar", "-C", root, "-cf", join(root, "a.tar"), "file"]);
  const tree = { root, patterns: ["/a.tar"], ignore: [], exclude: [], parents: false };
  await put(upper, { kind: "tree", tree, unpack: true }, "/d/", "600");
  expect(statSync(join(upper, "d")).mode & 0o7777).toBe(0o755);
  expect(statSync(join(upper, "d/file")).mode & 0o7777).toBe(0o644);
});
