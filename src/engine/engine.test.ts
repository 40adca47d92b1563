import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import { State } from "../state/database.ts";
import { completeConfig } from "./config/complete-config.ts";
import { bridgeName } from "./config/service-config.ts";
import { readIdentity } from "./identity.ts";
import { checkHost, doctor } from "./info/doctor.ts";
import { limitWarnings } from "./info/host-facts.ts";
import { describeVersion } from "./info/version.ts";
import { claimPidfile, claimRoots } from "./roots.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "berth-engine-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const configWith = (data: string, exec: string) =>
  completeConfig(
    new Map([
      ["data-root", join(home, data)],
      ["exec-root", join(home, exec)],
    ]),
  );

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return messageOf(error);
  }
  throw new Error("it was accepted");
}

test("a second engine on one of the roots is told whose they are, and leaves the other unlocked", () => {
  const release = claimRoots(configWith("data", "exec"));
  expect(refusal(() => claimRoots(configWith("data", "exec2")))).toBe(
    `another engine (pid ${process.pid}) uses the data root ${home}/data: stop it, or give this one its own with --data-root`,
  );
  expect(refusal(() => claimRoots(configWith("data3", "exec")))).toContain(`the exec root ${home}/exec`);
  claimRoots(configWith("data3", "exec2"))();
  release();
  claimRoots(configWith("data", "exec"))();
});

test("a root that is a file is refused with its name", () => {
  writeFileSync(join(home, "file"), "");
  expect(refusal(() => claimRoots(configWith("file", "exec")))).toContain(
    `cannot use the data root ${home}/file`,
  );
});

test("a stale pid file is taken over, a held one refused", () => {
  const path = join(home, "pid");
  writeFileSync(path, "1\n");
  const lock = claimPidfile(path);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  expect(refusal(() => claimPidfile(path))).toContain(`another engine (pid ${process.pid})`);
  lock.release();
});

test("the engine's identity is made once and kept", () => {
  const state = State.inMemory();
  const identity = readIdentity(state);
  expect(identity.short).toMatch(/^[0-9a-f]{8}$/);
  expect(readIdentity(state)).toEqual(identity);
});

test("only the default engine's bridge has the plain name", () => {
  const identity = { uuid: "0123abcd-", short: "0123abcd" };
  expect(bridgeName(completeConfig(new Map()), identity)).toBe("berth0");
  expect(bridgeName(configWith("data", "exec"), identity)).toBe("br-0123abcd");
  expect(bridgeName(completeConfig(new Map([["bridge", "br9"]])), identity)).toBe("br9");
});

test("the doctor says something of each requirement, and how to get what is missing", () => {
  const findings = checkHost();
  expect(findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["crun", "conmon", "nftables", "overlay", "cgroup"]),
  );
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    let text = "";
    const code = doctor([], (line) => {
      text += line;
    });
    expect(code).toBe(1);
    expect(text).toMatch(/MISSING {2}conmon .*apt install conmon/);
  } finally {
    process.env["PATH"] = path;
  }
});

test("the doctor examines nothing when it is asked for help, or for what it has not", () => {
  let text = "";
  const asked = (...args: string[]): number =>
    doctor(args, (line) => {
      text += line;
    });
  expect(asked("--help")).toBe(0);
  expect(text).toStartWith("Usage:  berth doctor\n");
  expect([asked("--nosuch"), asked("extra")]).toEqual([125, 1]);
  expect(text).not.toContain("crun");
});

test("what the kernel lacks is a warning in Docker's words", () => {
  const limits = {
    memory: true,
    swap: false,
    kernelMemoryTcp: false,
    cpuPeriod: true,
    cpuQuota: true,
    cpuShares: true,
    cpuset: true,
    pids: true,
    oomKillDisable: false,
  };
  expect(limitWarnings(limits, false)).toEqual([
    "WARNING: No swap limit support",
    "WARNING: IPv4 forwarding is disabled",
  ]);
});

test("version tells the engine first, with the keys clients read", () => {
  const version = describeVersion({
    name: "crun",
    path: "/usr/bin/crun",
    version: "1.8.1",
    conmonVersion: "2.1.6",
    cgroupVersion: "2",
    cgroupLayout: "v2",
    blkioWeight: true,
    apparmor: undefined,
    oomScore: 0,
    warnings: [],
  });
  expect(version).toMatchObject({ ApiVersion: "1.51", MinAPIVersion: "1.24", Os: "linux" });
  expect(version.Version).toMatch(/^28\.5\.2\+berth\./);
  expect(version.Components.map(({ Name }) => Name)).toEqual(["Engine", "berth", "crun", "conmon"]);
  expect(Object.keys(version.Components[0]?.Details ?? {}).sort()).toEqual([
    "ApiVersion",
    "Arch",
    "BuildTime",
    "Experimental",
    "GitCommit",
    "GoVersion",
    "KernelVersion",
    "MinAPIVersion",
    "Os",
  ]);
});
