import { readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import type { DeviceInput } from "../../runtime/spec/input.ts";
import { readDevice } from "../../system/device.ts";
import type { HostConfig } from "../../types/api.ts";
import type { LinuxDeviceCgroup } from "../../types/runtime-spec.ts";

/** Devices asked for with `--device` (a folder means all below it), and extra cgroup rules. */
export function devicesOf(host: HostConfig): { devices: DeviceInput[]; rules: LinuxDeviceCgroup[] } {
  const requests = host.DeviceRequests ?? [];
  const [request] = requests;
  if (request)
    throw new EngineError(
      "internal",
      `could not select device driver "${request.Driver}" with capabilities: ${JSON.stringify(
        request.Capabilities ?? [],
      )
        .replaceAll('"', "")
        .replaceAll(",", " ")}`,
    );
  const devices = (host.Devices ?? []).flatMap(({ PathOnHost, PathInContainer, CgroupPermissions }) =>
    devicesAt(PathOnHost, PathInContainer || PathOnHost, CgroupPermissions || "rwm"),
  );
  return { devices, rules: (host.DeviceCgroupRules ?? []).map(parseRule) };
}

function devicesAt(source: string, target: string, access: string): DeviceInput[] {
  const failed = (because: string): EngineError =>
    new EngineError(
      "internal",
      `error gathering device information while adding custom device "${source}": ${because}`,
    );
  if (!/^[rwm]{1,3}$/.test(access)) throw failed(`bad mode specified: ${access}`);
  const found = readDevice(source);
  if (found === "missing") throw failed("no such file or directory");
  if (found === "folder")
    return readdirSync(source).flatMap((name) => {
      const inner = readDevice(join(source, name));
      return inner === "missing" || inner === "other"
        ? []
        : devicesAt(join(source, name), join(target, name), access);
    });
  if (found === "other") throw failed("not a device node");
  return [{ device: { ...found, path: target }, access }];
}

/** `c 1:3 rwm`, with `*` for any number. */
function parseRule(rule: string): LinuxDeviceCgroup {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(rule);
  if (!match) throw new EngineError("invalid", `invalid device cgroup rule format: '${rule}'`);
  const [, type = "a", major = "*", minor = "*", access = "rwm"] = match;
  return {
    allow: true,
    type,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}
