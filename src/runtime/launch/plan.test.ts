import { expect, test } from "bun:test";
import type { Mount, Spec } from "../../types/runtime-spec.ts";
import { planLaunch } from "./plan.ts";

const options = { folder: "/exec/launch/x", ownFiles: ["/data/hosts"] };

const bind = (source: string, ...how: string[]): Mount => ({
  destination: "/d",
  type: "bind",
  source,
  options: how,
});

const spec = (mounts: Mount[], linux: Partial<Spec["linux"]> = {}): Spec => ({
  ociVersion: "1.0.2",
  process: {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args: ["sh"],
    env: [],
    cwd: "/",
    noNewPrivileges: false,
  },
  root: { path: "/data/root", readonly: false },
  mounts,
  linux: { namespaces: [], cgroupsPath: "/c", resources: {}, maskedPaths: [], readonlyPaths: [], ...linux },
});

test("binds are shown at places of their own, the root at its own, and the engine's files are there", () => {
  const proc: Mount = { destination: "/proc", type: "proc", source: "proc", options: [] };
  const mounts = [proc, bind("/data/hosts", "rbind"), bind("/host", "rbind", "ro"), bind("/one", "bind")];
  const plan = planLaunch(spec(mounts), options);
  expect(plan?.trees).toEqual([
    { source: "/data/root", target: "/data/root", recursive: true },
    { source: "/host", target: "/exec/launch/x/1", recursive: true },
    { source: "/one", target: "/exec/launch/x/2", recursive: false },
  ]);
  expect(plan?.spec(new Map()).mounts).toEqual([
    proc,
    bind("/data/hosts", "rbind"),
    bind("/exec/launch/x/1", "rbind", "ro"),
    bind("/exec/launch/x/2", "bind"),
  ]);
});

test("a namespace that a file holds is given another path, one in /proc stays", () => {
  const namespaces = [
    { type: "network", path: "/exec/netns/a" },
    { type: "ipc", path: "/proc/1/ns/ipc" },
    { type: "pid" },
  ];
  const plan = planLaunch(spec([], { namespaces }), options);
  expect(plan?.namespaces).toEqual(["/exec/netns/a"]);
  expect(plan?.spec(new Map([["/exec/netns/a", "/proc/9/fd/7"]])).linux.namespaces).toEqual([
    { type: "network", path: "/proc/9/fd/7" },
    { type: "ipc", path: "/proc/1/ns/ipc" },
    { type: "pid" },
  ]);
});

test("hooks, mounts that propagate and other roots are launched on the host's mounts", () => {
  const hooked = { ...spec([]), hooks: { prestart: [{ path: "/bin/true" }] } };
  const mapped = spec([], { namespaces: [{ type: "user" }] });
  for (const other of [hooked, spec([], { rootfsPropagation: "rslave" }), mapped])
    expect(planLaunch(other, options)).toBeUndefined();
  expect(planLaunch({ ...spec([]), hooks: { prestart: [] } }, options)).toBeDefined();
});
