import { expect, test } from "bun:test";
import { parseCall } from "./call.ts";

test("--call says what to do, in which format, and whether a finding counts", () => {
  expect(parseCall("")).toEqual({ name: "build", json: false, ignoresStatus: false });
  expect(parseCall("check,format=json,ignorestatus=true")).toEqual({
    name: "check",
    json: true,
    ignoresStatus: true,
  });
});

test("--call refuses what it does not know", () => {
  expect(() => parseCall("check,error=true")).toThrow("ERROR: invalid print field: error=true");
  expect(() => parseCall("targets=json")).toThrow("ERROR: invalid print field: targets=json");
  expect(() => parseCall("check,json")).toThrow("ERROR: invalid print value: check,json");
  expect(() => parseCall("check,ignorestatus=maybe")).toThrow("invalid ignorestatus print value: maybe");
});
