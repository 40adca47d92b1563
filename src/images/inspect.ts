import { formatNs, zeroTime } from "../lib/time/time.ts";
import type { ImageInspect } from "../types/api.ts";
import type { ImageRunConfig } from "../types/oci.ts";
import { goTime } from "./config.ts";
import type { ImagesContext } from "./deps.ts";
import { namesOf } from "./names.ts";
import { platformOf, requirePlatform } from "./platform.ts";
import { resolve } from "./resolve.ts";

/** `GET /images/{name}/json`. */
export function inspect(
  { store, snapshots }: ImagesContext,
  text: string,
  platform: string | undefined,
): ImageInspect {
  const image = resolve(store, text);
  requirePlatform(image, text, platformOf(platform));
  const { id, config, layers, parent, size, taggedNs } = image;
  const { Name, Data } = snapshots.imageGraphDriver(layers);
  const names = namesOf(store, id);
  return {
    Id: id,
    RepoTags: names.tags,
    RepoDigests: names.digests,
    Parent: parent,
    Comment: config.comment || config.history?.at(-1)?.comment || "",
    ...(config.created === undefined ? {} : { Created: goTime(config.created) }),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config["os.version"] ? { OsVersion: config["os.version"] } : {}),
    Size: size,
    GraphDriver: { Data, Name },
    RootFS: { Type: "layers", ...(layers.length > 0 ? { Layers: [...layers] } : {}) },
    Metadata: { LastTagTime: taggedNs === 0n ? zeroTime : formatNs(taggedNs) },
    Config: runConfig(config.config ?? {}),
  };
}

/** The fields API 1.51 tells even when they are empty. */
const always = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: "",
  Volumes: null,
  WorkingDir: "",
};
const known = [
  "ArgsEscaped",
  "Cmd",
  "Entrypoint",
  "Env",
  "ExposedPorts",
  "Healthcheck",
  "Labels",
  "OnBuild",
  "Shell",
  "StopSignal",
  "User",
  "Volumes",
  "WorkingDir",
] as const;

function runConfig(config: ImageRunConfig): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const name of known) {
    const value = config[name];
    if (value !== undefined && value !== null && !isEmpty(value))
      told[name] = maps.has(name) ? byKey(value) : value;
    else if (name in always) told[name] = always[name as keyof typeof always];
  }
  return told;
}

/** Go tells maps by their keys, in whatever order the configuration has them. */
const maps: ReadonlySet<string> = new Set(["ExposedPorts", "Labels", "Volumes"]);
const byKey = (map: unknown): object =>
  Object.fromEntries(Object.entries(map as object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** What Go's `omitempty` leaves out. */
const isEmpty = (value: unknown): boolean =>
  value === "" || value === false || (Array.isArray(value) && value.length === 0);
