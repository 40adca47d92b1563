import { parseCsv } from "../../lib/go/csv.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import type { MountRequest } from "../../types/api.ts";
import { parseBool } from "../flags/flag.ts";
import type { Surroundings } from "../surroundings.ts";
import { absolute } from "./volumes.ts";

type Mount = Omit<MountRequest, "Type"> & { Type: string };

const bareBooleans = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]);

/** `--mount type=bind,src=…,dst=…`: a CSV record of keys. */
export function parseMount(text: string, around: Surroundings): MountRequest {
  const mount: Mount = { Type: "volume", Target: "" };
  if (text === "") throw new Error("EOF");
  for (const field of parseCsv(text)) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    if (at < 0 && !bareBooleans.has(key))
      throw new Error(`invalid field '${field}' must be a key=value pair`);
    set(mount, key, at < 0 ? "true" : field.slice(at + 1), field, around);
  }
  check(mount);
  // An unknown type goes to the engine, whose sentence it is to refuse it.
  return mount as MountRequest;
}

const flag = (key: string, value: string): boolean => {
  try {
    return parseBool(value);
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`); // docker's sentence, without Go's cause
  }
};

function pair(value: string, into: Record<string, string>): Record<string, string> {
  const at = value.indexOf("=");
  return at < 0 ? { ...into, [value]: "" } : { ...into, [value.slice(0, at)]: value.slice(at + 1) };
}

function set(mount: Mount, key: string, value: string, field: string, around: Surroundings): undefined {
  switch (key) {
    case "type":
      mount.Type = value.toLowerCase();
      return;
    case "source":
    case "src":
      mount.Source = value.startsWith(".") && /^\.{1,2}(\/|$)/.test(value) ? absolute(value, around) : value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.Target = value;
      return;
    case "readonly":
    case "ro":
      mount.ReadOnly = flag(key, value);
      return;
    case "consistency":
      mount.Consistency = value.toLowerCase();
      return;
  }
  if (key.startsWith("bind-") || key === "idmap") return setBind(mount, key, value, field);
  if (key.startsWith("volume-")) return setVolume(mount, key, value, field);
  if (key.startsWith("tmpfs-")) return setTmpfs(mount, key, value, field);
  if (key === "image-subpath") {
    mount.ImageOptions = { ...mount.ImageOptions, Subpath: value };
    return;
  }
  throw unexpected(key, field);
}

const unexpected = (key: string, field: string): Error => new Error(`unexpected key '${key}' in '${field}'`);

function setBind(mount: Mount, key: string, value: string, field: string): undefined {
  // `enabled` is the default, and says nothing
  if (key === "bind-recursive" && value === "enabled") return;
  mount.BindOptions ??= {};
  const options = mount.BindOptions;
  if (key === "bind-propagation") options.Propagation = value.toLowerCase();
  else if (key === "idmap") options.IdMap = value;
  else if (key === "bind-nonrecursive") options.NonRecursive = flag(key, value);
  else if (key === "bind-create-src") options.CreateMountpoint = flag(key, value);
  else if (key === "bind-recursive") recursion(options, value);
  else throw unexpected(key, field);
}

function recursion(options: NonNullable<Mount["BindOptions"]>, value: string): undefined {
  if (value === "disabled") options.NonRecursive = true;
  else if (value === "writable") options.ReadOnlyNonRecursive = true;
  else if (value === "readonly") options.ReadOnlyForceRecursive = true;
  else if (value !== "enabled")
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
}

function setVolume(mount: Mount, key: string, value: string, field: string): undefined {
  mount.VolumeOptions ??= { DriverConfig: {} }; // as docker's client sends it
  const options = mount.VolumeOptions;
  if (key === "volume-subpath") options.Subpath = value;
  else if (key === "volume-nocopy") options.NoCopy = flag(key, value);
  else if (key === "volume-label") options.Labels = pair(value, options.Labels ?? {});
  else if (key === "volume-driver") options.DriverConfig = { ...options.DriverConfig, Name: value };
  else if (key === "volume-opt")
    options.DriverConfig = {
      ...options.DriverConfig,
      Options: pair(value, options.DriverConfig?.Options ?? {}),
    };
  else throw unexpected(key, field);
}

function setTmpfs(mount: Mount, key: string, value: string, field: string): undefined {
  mount.TmpfsOptions ??= {};
  const options = mount.TmpfsOptions;
  if (key === "tmpfs-size") {
    try {
      options.SizeBytes = parseRamSize(value);
    } catch {
      throw new Error(`invalid value for ${key}: ${value}`); // as `flag`
    }
  } else if (key === "tmpfs-mode") {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
    options.Mode = Number.parseInt(value, 8);
  } else throw unexpected(key, field);
}

function check(mount: Mount): undefined {
  const { Type: type, BindOptions: bind } = mount;
  if (type === "") throw new Error("type is required");
  if (mount.Target === "") throw new Error("target is required");
  const mixed = (kind: string): Error =>
    new Error(`cannot mix '${kind}-*' options with mount type '${type}'`);
  if (mount.VolumeOptions && type !== "volume") throw mixed("volume");
  if (bind && type !== "bind") throw mixed("bind");
  if (mount.TmpfsOptions && type !== "tmpfs") throw mixed("tmpfs");
  if (mount.ImageOptions && type !== "image") throw mixed("image");
  if (bind?.ReadOnlyNonRecursive && !mount.ReadOnly)
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  if (!bind?.ReadOnlyForceRecursive) return;
  if (!mount.ReadOnly)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
  if (bind.Propagation !== "rprivate")
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    );
}
