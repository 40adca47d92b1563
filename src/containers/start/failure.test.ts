import { expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import { failureOf } from "./failure.ts";

test("a start that fails leaves the code with which the container ended before, unless that was 0", () => {
  const error = new EngineError("notFound", "network n not found");
  expect(failureOf(error, 137).exitCode).toBe(137);
  expect(failureOf(error, 0).exitCode).toBe(128);
});
