import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import { refuseProcTargets } from "./proc-targets.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "berth-containers-"));
  for (const name of ["proc", "etc", "a/b"]) mkdirSync(join(root, name), { recursive: true });
  symlinkSync("/proc", join(root, "absolute"));
  symlinkSync("../../../../proc/self", join(root, "a/b/relative"));
  symlinkSync("/absolute/sys/kernel/hostname", join(root, "etc/hostname"));
  symlinkSync("loop", join(root, "loop"));
});
afterAll(() => rmSync(root, { recursive: true }));

function refusal(destination: string, source = "/etc"): string {
  try {
    refuseProcTargets(root, [{ destination, source }]);
    return "";
  } catch (error) {
    return messageOf(error).replace(/^.* mount: /, "");
  }
}

test("nothing is mounted into /proc, whatever links of the image lead there", () => {
  const inside = (path: string): string => `"${root}${path}" cannot be mounted because it is inside /proc`;
  expect(refusal("/proc/self/attr")).toBe(inside("/proc/self/attr"));
  expect(refusal("/a/../proc/x")).toBe(inside("/proc/x"));
  expect(refusal("/absolute/self/attr")).toBe(inside("/proc/self/attr"));
  expect(refusal("/a/b/relative/attr")).toBe(inside("/proc/self/attr"));
  expect(refusal("/etc/hostname")).toBe(inside("/proc/sys/kernel/hostname"));
  expect(refusal("/loop/x")).toContain("too many links");
});

test("only a proc takes the place of /proc", () => {
  expect(refusal("/proc", "/proc")).toBe("");
  for (const source of ["/etc", "tmpfs"]) expect(refusal("/absolute", source)).toContain("not of type proc");
});

test("what tools replace, and what merely looks alike, may be mounted", () => {
  for (const path of [
    "/proc/cpuinfo",
    "/absolute/sys/crypto/fips_enabled",
    "/procx",
    "/a/proc",
    "/new/place",
  ])
    expect(refusal(path)).toBe("");
});

test("the links of a mount do not lead the next one there", () => {
  const volume = join(root, "volume");
  mkdirSync(join(volume, "proc"), { recursive: true });
  symlinkSync("/proc/self", join(volume, "absolute"));
  symlinkSync("../../proc", join(volume, "relative"));
  symlinkSync("/a/b/relative", join(volume, "image"));
  const outcome = (destination: string) => () =>
    refuseProcTargets(root, [
      { destination: "/v", source: volume },
      { destination, source: "/etc" },
    ]);
  for (const name of ["absolute", "relative/x", "image"])
    expect(outcome(`/v/${name}`)).toThrow("inside /proc");
  for (const name of ["proc", "new/place"]) expect(outcome(`/v/${name}`)).not.toThrow();
});
