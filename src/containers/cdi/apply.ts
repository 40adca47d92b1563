import { statSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { deviceAt, deviceRule } from "../../runtime/spec/devices.ts";
import type { LinuxDevice, Spec } from "../../types/runtime-spec.ts";
import { withVariables } from "../start/environment.ts";
import type { CdiEdits } from "./spec-files.ts";

const hookNames = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

/** Puts what devices ask for into a container's OCI spec: nodes with their access, mounts, variables, hooks, groups. */
export function applyEdits(spec: Spec, edits: readonly CdiEdits[]): void {
  for (const edit of edits) {
    spec.process.env = withVariables(spec.process.env, edit.env ?? []);
    for (const node of edit.deviceNodes ?? []) addDevice(spec, node);
    for (const { hostPath, containerPath, type = "bind", options = [] } of edit.mounts ?? [])
      spec.mounts.push({
        destination: containerPath,
        source: hostPath,
        type,
        options:
          type !== "bind" || options.some((one) => /^r?bind$/.test(one)) ? options : ["rbind", ...options],
      });
    for (const hook of edit.hooks ?? []) addHook(spec, hook);
    const { user } = spec.process;
    if (edit.additionalGids?.length)
      user.additionalGids = [...new Set([...(user.additionalGids ?? []), ...edit.additionalGids])];
  }
}

type Node = NonNullable<CdiEdits["deviceNodes"]>[number];

function addDevice(spec: Spec, node: Node): void {
  const hostPath = node.hostPath || node.path;
  const device = nodeOf(node, hostPath);
  const { linux } = spec;
  linux.devices = [...(linux.devices ?? []).filter(({ path }) => path !== node.path), device];
  const rules = linux.resources?.devices;
  // one rule that allows all is a privileged container's
  if (rules && !rules.some(({ allow, type }) => allow && type === undefined))
    rules.push(deviceRule({ device, access: node.permissions || "rwm" }));
}

function nodeOf(node: Node, hostPath: string): LinuxDevice {
  const there = statSync(hostPath, { throwIfNoEntry: false }) ? deviceAt(hostPath, node.path) : undefined;
  const given =
    node.major !== undefined && node.minor !== undefined && (node.type === "b" || node.type === "c")
      ? { path: node.path, type: node.type as "b" | "c", major: node.major, minor: node.minor }
      : undefined;
  const device = given ? { ...there, ...given } : there;
  if (!device)
    throw new EngineError(
      "internal",
      `CDI device injection failed: ${hostPath} is not a device of this host`,
    );
  return {
    ...device,
    ...(node.fileMode === undefined ? {} : { fileMode: node.fileMode }),
    ...(node.uid === undefined ? {} : { uid: node.uid }),
    ...(node.gid === undefined ? {} : { gid: node.gid }),
  };
}

function addHook(
  spec: Spec,
  { hookName, path, args, env, timeout }: NonNullable<CdiEdits["hooks"]>[number],
): void {
  const name = hookNames.find((one) => one === hookName);
  if (!name) throw new EngineError("internal", `CDI device injection failed: no hook is called ${hookName}`);
  const hook = {
    path,
    ...(args ? { args } : {}),
    ...(env ? { env } : {}),
    ...(timeout === undefined ? {} : { timeout }),
  };
  spec.hooks = { ...spec.hooks, [name]: [...(spec.hooks?.[name] ?? []), hook] };
}
