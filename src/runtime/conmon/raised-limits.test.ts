import { expect, test } from "bun:test";
import type { Process } from "../../types/runtime-spec.ts";
import { unlimited } from "../spec/json.ts";
import { Limits, raiseLimits } from "./raised-limits.ts";

const process: Process = {
  terminal: false,
  user: { uid: 0, gid: 0 },
  args: ["true"],
  env: [],
  cwd: "/",
  noNewPrivileges: false,
};
const own = new Limits([["nofile", 1000]]);

test("limits above the engine's own are set before the runtime runs, others by the runtime", () => {
  const rlimits = [
    { type: "RLIMIT_NOFILE", soft: 10, hard: 2000 },
    { type: "RLIMIT_CORE", soft: 0, hard: unlimited },
  ];
  expect(raiseLimits({ ...process, rlimits }, own)).toEqual({
    prefix: ["prlimit", "--nofile=:2000", "--"],
    process: { ...process, rlimits },
  });
  const lower = [{ type: "RLIMIT_NOFILE", soft: 10, hard: 1000 }];
  expect(raiseLimits({ ...process, rlimits: lower }, own).prefix).toEqual([]);
});

test("only a shield from the OOM killer needs the engine's right", () => {
  expect(raiseLimits({ ...process, oomScoreAdj: -500 }, own)).toEqual({
    prefix: ["choom", "-n", "-500", "--"],
    process,
  });
  expect(raiseLimits({ ...process, oomScoreAdj: 500 }, own).process.oomScoreAdj).toBe(500);
});

test("the engine's own limits are read as the kernel tells them", () => {
  const rlimits = [{ type: "RLIMIT_NOFILE", soft: 1, hard: 2 ** 40 }];
  expect(raiseLimits({ ...process, rlimits }).prefix).toEqual(["prlimit", `--nofile=:${2 ** 40}`, "--"]);
});
