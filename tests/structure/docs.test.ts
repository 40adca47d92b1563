import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const files = (pattern: string): string[] => [...new Glob(pattern).scanSync(root)].sort();

/** Targets of a page's links that are files, without their headings. */
const linked = (page: string): string[] =>
  [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(page), target));

test("links between pages lead somewhere", () => {
  const pages = ["README.md", ...files("{docs,src,tests,scripts}/**/*.md")];
  const dead = pages.flatMap((page) =>
    linked(page)
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test("source files that pages name are there", () => {
  const there = files("{src,tests,scripts}/**/*.ts").map((file) => `/${file}`);
  const gone = files("{docs,src,tests,scripts}/**/*.md").flatMap((page) =>
    [...read(page).matchAll(/`((?:[a-z0-9-]+\/)*[a-z0-9.-]+\.ts)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !/^x(\.test)?\.ts$/.test(name) && !there.some((file) => file.endsWith(`/${name}`)))
      .map((name) => `${page}: ${name}`),
  );
  expect(gone).toEqual([]);
});

test("every page of docs/ is linked from the README", () => {
  expect(linked("README.md").filter((page) => /^docs\/[^/]+\.md$/.test(page))).toEqual(
    expect.arrayContaining(files("docs/*.md")),
  );
});

test("the index of decisions has each once, in order, with its title and what replaced it", () => {
  const decisions = files("docs/decisions/0*.md").map((file) => {
    const text = read(file);
    const [, number = "?", title = "?"] = /^# (\d+)\. (.+)\n/.exec(text) ?? [];
    expect(basename(file)).toStartWith(`${number.padStart(4, "0")}-`);
    const [, replaced = ""] =
      /^# .+\n\n\*(Replaced (?:in part )?by \d+(?:(?:,| and) \d+)*): /.exec(text) ?? [];
    return `[${number}](${basename(file)}). ${title}${replaced && ` (${replaced.toLowerCase()})`}`;
  });
  const index = [...read("docs/decisions/README.md").matchAll(/^- (\[.+)$/gm)];
  expect(index.map(([, entry = ""]) => entry)).toEqual(decisions);
});
