import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { toText } from "../../system/files/at.ts";
import { digestTree } from "./contents/digest.ts";
import { differingFiles } from "./contents/explain-files.ts";
import { everything } from "./filter.ts";
import { filterOf } from "./ignore.ts";
import { matchesOf, openTree } from "./match.ts";
import { folderMode, parseMode } from "./mode.ts";
import { stoppedBy } from "./worker/stop.ts";

const work = mkdtempSync(join(tmpdir(), "berth-copy-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

let serial = 0;
function tree(files: Record<string, string>): string {
  const root = join(work, String(++serial));
  mkdirSync(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

const matched = (root: string, pattern: string, ignore: string[] = []): string[] =>
  matchesOf(openTree(root), pattern, filterOf(ignore)).map(({ path }) => toText(path));

test("patterns match part by part, in order of names, and `..` ends at the root", () => {
  const root = tree({ "a.txt": "", "b.txt": "", "d/c.txt": "", "d/e/f.txt": "", "ü.txt": "" });
  expect(matched(root, "*.txt")).toEqual(["a.txt", "b.txt", "ü.txt"]);
  expect(matched(root, "/../../a.txt")).toEqual(["a.txt"]);
  expect(matched(root, "d/*/f.txt")).toEqual(["d/e/f.txt"]);
  expect(matched(root, "**/*.txt")).toEqual(["a.txt", "b.txt", "ü.txt", "d/c.txt", "d/e/f.txt"]);
  expect(matched(root, "nothing*")).toEqual([]);
  expect(() => matched(root, "missing")).toThrow('"/missing": not found');
});

test("links are followed inside the tree, never out of it", () => {
  const root = tree({ "d/f": "" });
  symlinkSync("/d", join(root, "inside"));
  symlinkSync("../../../../../../etc", join(root, "outside"));
  expect(matched(root, "inside/f")).toEqual(["inside/f"]);
  expect(() => matched(root, "outside/passwd")).toThrow("not found");
});

test("what an ignore file leaves out is not there", () => {
  const root = tree({ "a/x": "", "a/keep": "", b: "" });
  expect(() => matched(root, "b", ["b"])).toThrow("not found");
  expect(matched(root, "a/*", ["a", "!a/keep"])).toEqual(["a/keep"]);
});

interface Asked {
  patterns?: string[];
  ignore?: string[];
  statCache?: string;
}

const digestOf = (root: string, { patterns = ["."], ignore = [], statCache }: Asked = {}): string =>
  digestTree({
    root,
    patterns,
    ignore: filterOf(ignore),
    exclude: everything,
    parents: false,
    statCache,
    lists: join(work, "lists"),
  }).digest;

test("the digest of a tree is that of its names, modes and contents", () => {
  const files = { "a/x": "1", "a/y": "2" };
  const one = tree(files);
  const digest = digestOf(one);
  expect(digestOf(tree(files))).toBe(digest);
  expect(digestOf(tree({ "a/x": "1", "a/z": "2" }))).not.toBe(digest);
  expect(digestOf(tree({ "a/x": "1", "a/y": "3" }))).not.toBe(digest);
  chmodSync(join(one, "a/x"), 0o755);
  expect(digestOf(one)).not.toBe(digest);
  expect(digestOf(tree({ ...files, "a/z": "3" }), { ignore: ["a/z"] })).toBe(digest);
});

test("a file that changed is read again although it is known", () => {
  const root = tree({ f: "1" });
  const statCache = join(work, `stats-${serial}`);
  const before = digestOf(root, { statCache });
  expect(digestOf(root, { statCache })).toBe(before);
  appendFileSync(join(root, "f"), "2");
  expect(digestOf(root, { statCache })).toBe(digestOf(root));
});

test("a damaged file of what is known counts as empty", () => {
  const root = tree({ f: "1" });
  const statCache = join(work, "damaged");
  writeFileSync(statCache, "no zstd");
  expect(digestOf(root, { statCache })).toBe(digestOf(root));
});

test("the files that differ between two builds are named", () => {
  const before = digestOf(tree({ a: "1", b: "1", c: "1" }));
  const now = digestOf(tree({ a: "1", b: "2", d: "1" }));
  const named = (below: string) => differingFiles({ lists: join(work, "lists"), now, before, below, max: 2 });
  expect(named("")).toEqual({ names: ["the file b differs", "the file d is new"], more: 1 });
  expect(named("src/").names).toEqual(["the file src/b differs", "the file src/d is new"]);
  expect(named("src/b").names[0]).toBe("the file src/b differs");
});

test("modes are octal numbers or changes", () => {
  expect(parseMode("0640")(0o777, false)).toBe(0o640);
  expect(["", "640", "4711", "2775", "u=rwX,go="].map(folderMode)).toEqual([
    0o755, 0o640, 0o711, 0o755, 0o755,
  ]);
  expect(parseMode("+x")(0o644, false)).toBe(0o755);
  expect(parseMode("u=rwX,go=rX")(0o600, true)).toBe(0o755);
  expect(parseMode("u=rwX,go=rX")(0o600, false)).toBe(0o644);
  expect(parseMode("o=u")(0o640, false)).toBe(0o646);
  expect(parseMode("a-w,u+s")(0o777, false)).toBe(0o4555);
  expect(() => parseMode("9z")).toThrow("invalid chmod parameter: '9z'");
  expect(() => parseMode("77777")).toThrow("invalid chmod parameter");
  expect(() => parseMode("+x,zz")).toThrow("invalid syntax");
  expect(parseMode("0000644")(0o777, false)).toBe(0o644);
});

test("a walk that nobody wants any more ends", async () => {
  const root = tree({ a: "1", b: "2" });
  const request = { root, patterns: ["/"], ignore: everything, exclude: everything, parents: false };
  const walk = stoppedBy(AbortSignal.abort(), async (stop) =>
    digestTree({ ...request, statCache: undefined, lists: join(work, "lists"), stop }),
  );
  await expect(walk).rejects.toThrow("the build was cancelled");
});
