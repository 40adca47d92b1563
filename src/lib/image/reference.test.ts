import { describe, expect, test } from "bun:test";
import {
  canonical,
  familiar,
  matchReference,
  parseReference,
  parseReferenceOrId,
  parseRepoTag,
  withDefaultTag,
} from "./reference.ts";

const zeros = "0".repeat(64);

describe("parsing a reference", () => {
  const spelled: [string, string, string][] = [
    ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["index.docker.io/library/busybox:latest", "docker.io/library/busybox:latest", "busybox:latest"],
    ["library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["org/app", "docker.io/org/app:latest", "org/app:latest"],
    ["localhost/a", "localhost/a:latest", "localhost/a:latest"],
    ["localhost:5000/a/b:t", "localhost:5000/a/b:t", "localhost:5000/a/b:t"],
    ["[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"],
    ["Foo/bar", "Foo/bar:latest", "Foo/bar:latest"],
    ["foo.COM/bar", "foo.COM/bar:latest", "foo.COM/bar:latest"],
    ["a__b", "docker.io/library/a__b:latest", "a__b:latest"],
    ["a--b", "docker.io/library/a--b:latest", "a--b:latest"],
    ["a:B", "docker.io/library/a:B", "a:B"],
    [`b@sha256:${zeros}`, `docker.io/library/b@sha256:${zeros}`, `b@sha256:${zeros}`],
    [`b:l@sha256:${zeros}`, `docker.io/library/b:l@sha256:${zeros}`, `b:l@sha256:${zeros}`],
    ["library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
    ["sha256:abc", "docker.io/library/sha256:abc", "sha256:abc"],
  ];
  for (const [text, whole, short] of spelled)
    test(`${text} is ${whole}, told ${short}`, () => {
      const reference = withDefaultTag(parseReference(text));
      expect(canonical(reference)).toBe(whole);
      expect(familiar(reference)).toBe(short);
    });

  const refused: [string, string][] = [
    ["", "invalid reference format"],
    ["UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"],
    ["foo.com/Bar", "invalid reference format: repository name (Bar) must be lowercase"],
    ["x.y/UP:t", "invalid reference format: repository name (UP) must be lowercase"],
    ["UP PER", "invalid reference format: repository name (library/UP PER) must be lowercase"],
    ["bad name", "invalid reference format"],
    ["a:b:c", "invalid reference format"],
    [":tag", "invalid reference format"],
    ["busybox:-x", "invalid reference format"],
    ["@sha256:abc", "invalid reference format"],
    ["busybox@sha256:abc", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["a/b/", "invalid reference format"],
    ["/a", "invalid reference format"],
    ["a..b", "invalid reference format"],
    ["a___b", "invalid reference format"],
    ["é", "invalid reference format"],
    ["http://x/y", "invalid reference format"],
    [`b:${"a".repeat(129)}`, "invalid reference format"],
    ["a".repeat(300), "repository name must not be more than 255 characters"],
    [`b@sha512:${zeros}`, "invalid checksum digest length"],
    [`b@md5:${zeros}`, "unsupported digest algorithm"],
    [`b@sha256:${zeros.slice(1)}A`, "invalid checksum digest format"],
    [zeros, `invalid repository name (${zeros}), cannot specify 64-byte hexadecimal strings`],
  ];
  for (const [text, sentence] of refused)
    test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
      expect(() => parseReference(text)).toThrow(new Error(sentence));
    });

  test("a megabyte of text is refused at once", () => {
    const begin = performance.now();
    expect(() => parseReference("a-".repeat(500_000))).toThrow("invalid reference format");
    expect(() => parseReference(`${"a.".repeat(1000)}/x:`)).toThrow("invalid reference format");
    expect(performance.now() - begin).toBeLessThan(5000); // and not a minute
  });
});

test("a whole image id is an id, with and without its algorithm", () => {
  expect(parseReferenceOrId(zeros)).toEqual({ id: `sha256:${zeros}` });
  expect(parseReferenceOrId(`sha256:${zeros}`)).toEqual({ id: `sha256:${zeros}` });
  expect(parseReferenceOrId("sha256:abc")).toEqual({
    domain: "docker.io",
    path: "library/sha256",
    tag: "abc",
  });
});

test("repo and tag parameters make a reference that can be given to an image", () => {
  expect(familiar(parseRepoTag("a"))).toBe("a:latest");
  expect(familiar(parseRepoTag("a:x", "y"))).toBe("a:y");
  expect(() => parseRepoTag("a", "b c")).toThrow(new Error("invalid tag format"));
  expect(() => parseRepoTag(`a@sha256:${zeros}`)).toThrow(new Error("cannot import digest reference"));
});

test("a pattern matches the name with or without its tag", () => {
  const a = parseReference("a:1");
  for (const pattern of ["a", "a:1", "a*", "*:1", "?", "[a-c]:*", "\\a"])
    expect(matchReference(pattern, a)).toBe(true);
  for (const pattern of ["b", "a:2", "*/*", "[^a]", ""]) expect(matchReference(pattern, a)).toBe(false);
  expect(matchReference("*", parseReference("dir/a:1"))).toBe(false);
  expect(matchReference("*/*", parseReference("dir/a:1"))).toBe(true);
  expect(() => matchReference("[", a)).toThrow(new Error("syntax error in pattern"));
});
