import { expect, test } from "bun:test";
import { layoutReference, parseLayoutName } from "./oci-layout-name.ts";
import { parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("a layout is named by its folder, a tag and a digest", () => {
  expect(parseLayoutName("/a/b")).toEqual({ path: "/a/b", tag: "latest", digest: undefined });
  expect(parseLayoutName("./b:v1")).toEqual({ path: "./b", tag: "v1", digest: undefined });
  expect(parseLayoutName(`b:v1@${digest}`)).toEqual({ path: "b", tag: "v1", digest });
});

test("each layout has references of its own, which say what is meant of it", () => {
  const [one, other] = ["a", "b"].map((path) => layoutReference("base", parseLayoutName(`${path}:v1`)));
  expect(one).not.toBe(other);
  expect(parseReference(one ?? "")).toMatchObject({ domain: "berth.internal", tag: "v1" });
  expect(parseReference(layoutReference("base", parseLayoutName(`a:v1@${digest}`)))).toMatchObject({
    digest,
  });
});
