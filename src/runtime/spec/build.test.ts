import { describe, expect, test } from "bun:test";
import { buildSpec } from "./build.ts";
import {
  allCapabilities,
  capabilitiesInMask,
  defaultCapabilities,
  resolveCapabilities,
} from "./capabilities.ts";
import { parseDeviceRule } from "./devices.ts";
import type { SpecInput } from "./input.ts";
import { specJson, unlimited } from "./json.ts";
import { oomScore } from "./process.ts";
import { defaultSeccomp } from "./seccomp.ts";

const input: SpecInput = {
  process: {
    terminal: false,
    args: ["true"],
    env: ["A=b"],
    cwd: "/",
    user: { uid: 0, gid: 0 },
    capabilities: defaultCapabilities,
    noNewPrivileges: false,
    rlimits: [],
  },
  hostname: "box",
  rootfs: { path: "/r", readonly: false },
  namespaces: { network: { path: "/n" }, pid: "private", ipc: "private", uts: "private", cgroup: "host" },
  cgroupsPath: "/berth/x",
  mounts: [],
  privileged: false,
  resources: {},
  devices: [],
  deviceRules: [],
  sysctls: {},
  seccomp: "default",
};

const destinations = (of: SpecInput): string[] => buildSpec(of).mounts.map(({ destination }) => destination);

describe("a spec", () => {
  test("sets nothing that was not asked for", () => {
    const { process, linux, annotations } = buildSpec(input);
    expect([
      process.rlimits,
      process.oomScoreAdj,
      annotations,
      linux.sysctl,
      linux.rootfsPropagation,
    ]).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(Object.keys(linux.resources)).toEqual(["devices"]);
  });

  test("joins, makes or leaves out each namespace", () => {
    expect(buildSpec(input).linux.namespaces).toEqual([
      { type: "mount" },
      { type: "network", path: "/n" },
      { type: "pid" },
      { type: "ipc" },
      { type: "uts" },
    ]);
  });

  test("has no host name of its own in another's UTS namespace", () =>
    expect(
      buildSpec({ ...input, namespaces: { ...input.namespaces, uts: "host" } }).hostname,
    ).toBeUndefined());

  test("gives root the capabilities, and others only the bounding set", () => {
    expect(buildSpec(input).process.capabilities?.effective).toEqual([...defaultCapabilities]);
    const user = { ...input, process: { ...input.process, user: { uid: 1000, gid: 1000 } } };
    expect(buildSpec(user).process.capabilities).toMatchObject({ effective: [], permitted: [], ambient: [] });
    expect(buildSpec(user).process.capabilities?.bounding).toEqual([...defaultCapabilities]);
  });

  test("mounts parents before what lies below them, and lets a user's mount replace a default", () => {
    const bind = (destination: string) => ({ destination, type: "bind", source: "/s", options: [] });
    const mounts = [bind("/a/b/c"), bind("/a"), bind("/dev/shm")];
    const all = destinations({ ...input, mounts });
    expect(all.filter((path) => path === "/dev/shm").length).toBe(1);
    expect(all.indexOf("/a")).toBeLessThan(all.indexOf("/a/b/c"));
    expect(buildSpec({ ...input, mounts }).mounts.at(-1)?.options).toEqual(["rbind"]);
  });

  test("runs init before the command, and brings it along", () => {
    const spec = buildSpec({ ...input, init: "/usr/bin/docker-init" });
    expect(spec.process.args).toEqual(["/sbin/docker-init", "--", "true"]);
    expect(spec.mounts.at(-1)).toMatchObject({
      destination: "/sbin/docker-init",
      source: "/usr/bin/docker-init",
    });
  });

  test("opens everything to the privileged", () => {
    const { linux, mounts } = buildSpec({ ...input, privileged: true });
    expect(linux).toMatchObject({ maskedPaths: [], readonlyPaths: [] });
    expect(linux.seccomp).toBeUndefined();
    expect(linux.resources.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(mounts.find(({ destination }) => destination === "/sys")?.options).not.toContain("ro");
  });

  test("turns limits into the kernel's units", () => {
    const { resources } = buildSpec({
      ...input,
      resources: {
        memory: 1000,
        memorySwap: -1,
        nanoCpus: 1_500_000_000,
        pids: -1,
        memorySwappiness: 0,
        cpuShares: 0,
      },
    }).linux;
    expect(resources).toMatchObject({
      memory: { limit: 1000, swap: -1, swappiness: 0 },
      cpu: { quota: 150_000, period: 100_000 },
      pids: { limit: -1 },
    });
  });

  test("leaves out a quota that is none", () => {
    const { resources } = buildSpec({ ...input, resources: { cpuQuota: -1, cpuPeriod: 50_000 } }).linux;
    expect(resources.cpu).toEqual({ period: 50_000 });
  });

  test("writes an unlimited limit exactly", () => {
    const rlimits = [{ name: "memlock", soft: -1, hard: -1 }];
    const spec = buildSpec({ ...input, process: { ...input.process, rlimits } });
    expect(spec.process.rlimits?.[0]).toEqual({ type: "RLIMIT_MEMLOCK", soft: unlimited, hard: unlimited });
    expect(specJson(spec)).toContain('"soft":18446744073709551615,');
  });
});

describe("capabilities", () => {
  const resolve = (add: string[], drop: string[]) =>
    resolveCapabilities({ add, drop, privileged: false, available: allCapabilities });
  test("add and drop in any spelling", () => {
    expect(resolve(["net_admin"], ["CAP_CHOWN"])).toContain("CAP_NET_ADMIN");
    expect(resolve([], ["chown"])).not.toContain("CAP_CHOWN");
    expect(resolve(["KILL"], ["ALL"])).toEqual(["CAP_KILL"]);
    expect(resolve(["all"], ["sys_admin"])).not.toContain("CAP_SYS_ADMIN");
    expect(resolve(["all"], []).length).toBe(41);
  });
  test("are no more than there are to give", () => {
    const available = ["CAP_CHOWN"];
    expect(resolveCapabilities({ add: [], drop: [], privileged: true, available })).toEqual(available);
    expect(() => resolveCapabilities({ add: ["BPF"], drop: [], privileged: false, available })).toThrow(
      'not available in the current environment: "CAP_BPF"',
    );
  });
  test("refuse what no kernel knows", () => {
    expect(() => resolve(["nosuch"], [])).toThrow('invalid CapAdd: unknown capability: "CAP_NOSUCH"');
    expect(() => resolve([], ["nosuch"])).toThrow('invalid CapDrop: unknown capability: "CAP_NOSUCH"');
  });
  test("are read from the kernel's mask", () =>
    expect(capabilitiesInMask("3").join()).toBe("CAP_CHOWN,CAP_DAC_OVERRIDE"));
});

describe("the default seccomp profile", () => {
  const names = (capabilities: string[]): Set<string> =>
    new Set(defaultSeccomp(capabilities, "x64").syscalls.flatMap((rule) => (rule.args ? [] : rule.names)));
  test("allows the common calls and none that reach past the container", () => {
    const allowed = names([...defaultCapabilities]);
    for (const call of ["read", "openat2", "execve", "futex", "chroot", "arch_prctl"])
      expect(allowed).toContain(call);
    for (const call of [
      "mount",
      "reboot",
      "bpf",
      "keyctl",
      "kexec_load",
      "init_module",
      "setns",
      "userfaultfd",
    ])
      expect(allowed).not.toContain(call);
  });
  test("allows with a capability what it would be useless without", () => {
    expect(names(["CAP_SYS_ADMIN"])).toContain("mount");
    expect(names(["CAP_SYS_BOOT"])).toContain("reboot");
    expect(names([])).not.toContain("chroot");
  });
  test("lets clone make threads, not namespaces, and calls clone3 unknown", () => {
    const rules = defaultSeccomp([], "x64").syscalls;
    expect(rules.find(({ names: [name] }) => name === "clone")?.args?.[0]).toMatchObject({
      value: 0x7e020000,
      index: 0,
    });
    expect(rules.find(({ names: [name] }) => name === "clone3")).toMatchObject({ errnoRet: 38 });
    expect(
      defaultSeccomp(["CAP_SYS_ADMIN"], "x64").syscalls.some(({ names: [name] }) => name === "clone3"),
    ).toBe(false);
  });
  test("knows each architecture's own calls", () => {
    expect(defaultSeccomp([], "arm64").architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    expect(names([]).has("cacheflush")).toBe(false);
  });
});

test("an engine sheltered from the OOM killer shelters nothing it starts", () => {
  expect(oomScore(0, -500)).toEqual({ oomScoreAdj: 0 });
  expect(oomScore(-800, -500)).toEqual({ oomScoreAdj: -800 });
  expect([oomScore(0, 0), oomScore(0, 300)]).toEqual([{}, {}]);
});

test("device rules are parsed or refused", () => {
  expect(parseDeviceRule("c 1:3 rwm")).toEqual({ allow: true, type: "c", major: 1, minor: 3, access: "rwm" });
  expect(parseDeviceRule("b *:* m")).toEqual({ allow: true, type: "b", access: "m" });
  expect(() => parseDeviceRule("x 1:3")).toThrow("invalid device cgroup rule format: 'x 1:3'");
});
