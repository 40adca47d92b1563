import { expect, test } from "bun:test";
import type { HostConfig } from "../../types/api.ts";
import { kernelIsAtLeast, readSeccompProfile } from "./seccomp-profile.ts";

const host = { CapAdd: ["SYS_TIME"], CapDrop: [], Privileged: false } as unknown as HostConfig;

/** Names of the calls for which a rule holds, of rules named by what they demand. */
const allowed = (rules: Record<string, object>): string[] =>
  readSeccompProfile(
    JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: Object.entries(rules).map(([name, rule]) => ({
        names: [name],
        action: "SCMP_ACT_ALLOW",
        ...rule,
      })),
    }),
    host,
  ).syscalls?.flatMap(({ names }) => names) ?? [];

test("conditions that are null or empty hold, as Docker writes them", () => {
  const rules = {
    plain: {},
    nulls: { includes: null, excludes: null, args: null, comment: "" },
    empty: { includes: {}, excludes: {} },
    inner: { includes: { caps: null, arches: null }, excludes: { caps: null } },
  };
  expect(allowed(rules)).toEqual(Object.keys(rules));
});

test("capabilities and kernels decide", () => {
  expect(
    allowed({
      held: { includes: { caps: ["CAP_SYS_TIME"] } },
      missing: { includes: { caps: ["CAP_SYS_BOOT"] } },
      unless: { excludes: { caps: ["CAP_SYS_TIME"] } },
      old: { includes: { minKernel: "4.8" } },
      future: { includes: { minKernel: "99.0" } },
      notNew: { excludes: { minKernel: "4.8" } },
    }),
  ).toEqual(["held", "old"]);
});

test("kernel versions are numbers, not text", () => {
  expect(kernelIsAtLeast("5.9", "5.10.0-amd64")).toBeTrue();
  expect(kernelIsAtLeast("5.10", "5.9.1")).toBeFalse();
  expect(kernelIsAtLeast("5.10", "6.1.0")).toBeTrue();
  expect(() => kernelIsAtLeast("new", "6.1.0")).toThrow("invalid kernel version");
});
