import { describe, expect, test } from "bun:test";
import {
  booleanFilter,
  matchExact,
  matchLabels,
  matchPattern,
  matchPrefix,
  parseFilters,
  validateFilters,
} from "./filters.ts";

const list = (filters: ReturnType<typeof parseFilters>) => [...filters];

describe("the filters parameter", () => {
  test("both of its JSON shapes mean the same", () => {
    expect(list(parseFilters('{"name":["a","b"]}'))).toEqual([["name", ["a", "b"]]]);
    expect(list(parseFilters('{"name":{"a":true,"b":true}}'))).toEqual([["name", ["a", "b"]]]);
  });

  test("an absent, empty or null one filters nothing", () => {
    for (const text of [undefined, null, "", "{}", "null"]) expect(list(parseFilters(text))).toEqual([]);
  });

  test("anything else is refused", () => {
    for (const text of [
      "nope",
      "[]",
      "1",
      '"x"',
      '{"a":1}',
      '{"a":"b"}',
      '{"a":[1]}',
      '{"a":{"b":1}}',
      '{"a":["b"],"c":{"d":true}}',
    ])
      expect(() => parseFilters(text)).toThrow(new Error("invalid filter"));
  });

  test("a name of the language itself is only a name", () => {
    const filters = parseFilters('{"__proto__":["a"],"constructor":["b"]}');
    expect(() => validateFilters(filters, ["name"])).toThrow("invalid filter '__proto__'");
    expect(matchLabels(parseFilters('{"label":["constructor"]}'), "label", {})).toBe(false);
  });

  test("an empty key is refused without one", () => {
    expect(() => validateFilters(parseFilters('{"":["1"]}'), ["name"])).toThrow(new Error("invalid filter"));
  });

  test("an unknown key is refused by name", () => {
    expect(() => validateFilters(parseFilters('{"nosuch":["1"]}'), ["name"])).toThrow(
      new Error("invalid filter 'nosuch'"),
    );
    expect(() => validateFilters(parseFilters('{"name":["1"]}'), ["name"])).not.toThrow();
  });
});

describe("truth values", () => {
  const dangling = (...values: string[]) => booleanFilter(new Map([["dangling", values]]), "dangling", false);
  test("one and true are true, nought and false are false, nothing is the default", () => {
    expect([dangling("1"), dangling("true"), dangling("0"), dangling("false")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(booleanFilter(new Map(), "dangling", true)).toBe(true);
  });
  test("other and contradictory values are refused", () => {
    expect(() => dangling("maybe")).toThrow(new Error("invalid filter 'dangling=[maybe]'"));
    expect(() => dangling("1", "0")).toThrow(new Error("invalid filter 'dangling=[1 0]'"));
    expect(() => dangling()).toThrow(new Error("invalid filter 'dangling'"));
  });
});

describe("matching", () => {
  const names = new Map([["name", ["web", "^db-[0-9]+$", "("]]]);
  test("exact takes one of the values", () => {
    expect(matchExact(names, "name", "web")).toBe(true);
    expect(matchExact(names, "name", "web2")).toBe(false);
    expect(matchExact(names, "id", "anything")).toBe(true);
  });
  test("a name is matched anywhere, as a regular expression", () => {
    expect(["my-web-1", "db-12", "db-x", "("].map((name) => matchPattern(names, "name", name))).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
  test("an id is matched by its beginning", () => {
    expect(matchPrefix(new Map([["id", ["ab", "cd"]]]), "id", "cdef")).toBe(true);
    expect(matchPrefix(new Map([["id", ["ab", "cd"]]]), "id", "acd")).toBe(false);
  });
  test("every label must hold", () => {
    const labels = { a: "1", b: "x=y", e: "" };
    const match = (...values: string[]) => matchLabels(new Map([["label", values]]), "label", labels);
    expect([match("a"), match("a=1", "b"), match("b=x=y"), match("e="), match("e")]).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect([match("a=2"), match("a", "c"), match("a="), match("c=")]).toEqual([false, false, false, false]);
    expect(matchLabels(new Map([["label", ["a"]]]), "label", null)).toBe(false);
  });
});
