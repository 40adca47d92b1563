import { EngineError } from "../../lib/errors.ts";
import { parseGoDuration } from "../../lib/go/duration.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import type { GcOptions } from "../config/config.ts";

const everyMsDefault = 3600_000;

/** `{"keep-size": "20GB", "min-free": "10GB", "unused-for": "720h", "every": "1h"}`; undefined where nothing is said. */
export function gcOptions(said: Readonly<Record<string, string>>): GcOptions | undefined {
  const policy = {
    ...(said["keep-size"] ? { keepBytes: parseRamSize(said["keep-size"]) } : {}),
    ...(said["min-free"] ? { freeBytes: parseRamSize(said["min-free"]) } : {}),
    ...(said["unused-for"] ? { unusedForMs: parseGoDuration(said["unused-for"]) / 1e6 } : {}),
  };
  const everyMs = said["every"] ? parseGoDuration(said["every"]) / 1e6 : everyMsDefault;
  if (Object.keys(policy).length === 0) {
    if (said["every"]) throw new EngineError("invalid", "gc: every needs keep-size, min-free or unused-for");
    return undefined;
  }
  if (everyMs < 1000) throw new EngineError("invalid", "gc: every is below a second");
  return { policy, everyMs };
}
