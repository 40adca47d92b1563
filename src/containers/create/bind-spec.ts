import { posix } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";

/** A `-v` argument taken apart: `source:target:mode`, with what the mode says. */
interface BindSpec {
  /** absolute host path, volume name, or "" for an anonymous volume */
  source: string;
  target: string;
  mode: string;
  readOnly: boolean;
  copy: boolean;
  /** undefined = not said */
  propagation: string | undefined;
}

const accessModes = new Set(["rw", "ro"]);
const labelModes = new Set(["z", "Z"]);
const copyModes = new Set(["nocopy"]);
const consistencyModes = new Set(["default", "consistent", "cached", "delegated"]);
export const propagationModes: ReadonlySet<string> = new Set([
  "private",
  "rprivate",
  "slave",
  "rslave",
  "shared",
  "rshared",
]);
const kinds = [accessModes, labelModes, copyModes, consistencyModes, propagationModes];

/** At most one word of each kind. */
function isMountMode(mode: string): boolean {
  if (mode === "") return true;
  const seen = new Set<ReadonlySet<string>>();
  for (const word of mode.split(",")) {
    const kind = kinds.find((one) => one.has(word));
    if (kind === undefined || seen.has(kind)) return false;
    seen.add(kind);
  }
  return true;
}

const badSpec = (raw: string): EngineError =>
  new EngineError("internal", `invalid volume specification: '${raw}'`);

/** A mount target or source as Docker checks it: absolute, and not the root. */
export function checkTarget(target: string): string {
  if (!target.startsWith("/"))
    throw new EngineError("invalid", `invalid mount path: '${target}' mount path must be absolute`);
  const clean = cleanPath(target);
  if (clean === "/") throw new EngineError("invalid", "invalid specification: destination can't be '/'");
  return clean;
}

/** Go's path.Clean. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** Reads one `-v` argument. Docker answers these errors with status 500, hence kind `internal`. */
export function parseBindSpec(raw: string): BindSpec {
  const parts = raw.split(":");
  const [first = "", second, mode = ""] = parts;
  if (first === "" || parts.length > 3) throw badSpec(raw);
  if (second !== undefined && parts.length === 2 && isMountMode(second)) throw badSpec(raw);
  if (!isMountMode(mode)) throw new EngineError("internal", `invalid mode: ${mode}`);
  const source = second === undefined ? "" : first;
  const target = second ?? first;
  const type = source.startsWith("/") ? "bind" : "volume";
  const modes = mode.split(",");
  const propagation = modes.find((word) => propagationModes.has(word));
  try {
    if (type === "volume" && propagation !== undefined)
      throw new EngineError("invalid", "field BindOptions must not be specified");
    if (type === "bind" && modes.includes("nocopy"))
      throw new EngineError("invalid", "field VolumeOptions must not be specified");
    return {
      source: type === "bind" ? cleanPath(source) : source,
      target: checkTarget(target),
      mode,
      readOnly: modes.includes("ro"),
      copy: !modes.includes("nocopy"),
      propagation,
    };
  } catch (error) {
    throw new EngineError(
      "internal",
      `invalid volume specification: '${raw}': invalid mount config for type "${type}": ${messageOf(error)}`,
    );
  }
}
