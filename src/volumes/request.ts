import { EngineError, wrap } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { VolumeCreateRequest } from "../types/api.ts";
import { localOptions } from "./local/options.ts";
import type { NewVolume } from "./store.ts";

const anonymousLabel = "com.docker.volume.anonymous";

/** A name longer than this cannot be a folder's. */
const nameLengthMax = 255;

/** A request made complete: a volume without a name gets a random one and the label of anonymous volumes. */
export function normalise(request: VolumeCreateRequest): NewVolume {
  const anonymous = !request.Name;
  const name = request.Name || newId();
  const driver = request.Driver || "local";
  if (driver === "local") checkName(name);
  const labels = anonymous ? { ...request.Labels, [anonymousLabel]: "" } : (request.Labels ?? null);
  return { name, driver, labels, options: request.DriverOpts ?? null };
}

/** Docker's rule: two characters at least, none that a path or a `-v` argument reads otherwise. */
export function checkName(name: string): void {
  if (name.length === 1)
    throw new EngineError(
      "invalid",
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    throw new EngineError(
      "invalid",
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  if (name.length > nameLengthMax)
    throw new EngineError(
      "invalid",
      `create ${name}: the name is over the limit of ${nameLengthMax} characters`,
    );
}

/** Only what is to be made is held to its options: one that is there keeps its own, as in Docker. */
export function checkOptions({ name, driver, options }: NewVolume): void {
  if (driver !== "local") return;
  try {
    localOptions(options ?? {});
  } catch (error) {
    throw wrap(`create ${name}`, error);
  }
}
