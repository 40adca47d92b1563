import { expect, test } from "bun:test";
import type { WireBuildRecord } from "../../../types/local-build.ts";
import { findRecord, recordName } from "./history.ts";

const record = (ref: string, more: Partial<WireBuildRecord> = {}): WireBuildRecord => ({
  ...{ ref, dockerfile: "Dockerfile", platforms: [], buildArgs: [], tags: [], images: [], steps: [] },
  ...{ startedAt: 1, status: "completed", ...more },
});
const records = [record("abc1"), record("abd2"), record("abd")];

test("a build is found by its id, its beginning, its place, or with the builder in front", () => {
  const found = (given?: string) => findRecord(records, given).ref;
  expect([found(), found("^1"), found("abc"), found("abd"), found("default/default/abd2")]).toEqual([
    ...["abc1", "abd2", "abc1", "abd", "abd2"],
  ]);
});

test("what is no one build is refused", () => {
  const refused = (given?: string) => () => findRecord(records, given);
  expect(refused("ab")).toThrow('"ab" is the beginning of several records');
  expect(refused("x")).toThrow('no record found for ref "x"');
  expect(refused("")).toThrow("no record found");
  expect(refused("^3")).toThrow("no records found");
});

test("a build is called by its first tag, else by its file and target", () => {
  expect(recordName(record("r", { tags: ["a", "b"] }))).toBe("a");
  expect(recordName(record("r", { target: "t" }))).toBe("Dockerfile (t)");
});
