import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { deviceAt, hostDevices, parseDeviceRule } from "../../runtime/spec/devices.ts";
import type { DeviceInput } from "../../runtime/spec/input.ts";
import type { HostConfig } from "../../types/api.ts";
import type { LinuxDeviceCgroup } from "../../types/runtime-spec.ts";

/** Devices asked for with `--device` (a folder means all below it), and extra cgroup rules; privileged has them all. */
export function devicesOf(host: HostConfig): { devices: DeviceInput[]; rules: LinuxDeviceCgroup[] } {
  const asked = (host.Devices ?? []).flatMap(({ PathOnHost, PathInContainer, CgroupPermissions }) =>
    devicesAt(PathOnHost, PathInContainer || PathOnHost, accessOf(CgroupPermissions)),
  );
  const taken = new Set(asked.map(({ device }) => device.path));
  const all = host.Privileged ? hostDevices().map((device) => ({ device, access: "rwm" })) : [];
  return {
    devices: [...asked, ...all.filter(({ device }) => !taken.has(device.path) && !standard.has(device.path))],
    rules: (host.DeviceCgroupRules ?? []).map(parseDeviceRule),
  };
}

/** Letters that mean nothing give nothing, as runc reads them; "m" is everybody's. */
const accessOf = (permissions: string): string =>
  permissions === "" ? "rwm" : [..."rwm"].filter((letter) => permissions.includes(letter)).join("") || "m";

/** every container has these */
const standard = new Set(
  ["null", "zero", "full", "random", "urandom", "tty", "ptmx"].map((name) => `/dev/${name}`),
);

function devicesAt(source: string, target: string, access: string): DeviceInput[] {
  const failed = (because: string): EngineError =>
    new EngineError(
      "internal",
      `error gathering device information while adding custom device "${source}": ${because}`,
    );
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat) throw failed("no such file or directory");
  if (stat.isDirectory()) {
    const below = readdirSync(source).flatMap((name) => {
      const device = deviceAt(join(source, name), join(target, name));
      return device ? [{ device, access }] : [];
    });
    if (below.length === 0) throw failed("not a device node");
    return below;
  }
  const device = deviceAt(source, target);
  if (!device) throw failed("not a device node");
  return [{ device, access }];
}
