import { readFile } from "node:fs/promises";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { decodeJson, parse } from "../../lib/go/json/decode.ts";
import {
  bool,
  int,
  int64,
  list,
  map,
  object,
  type Shape,
  string,
  stringMap,
  strings,
} from "../../lib/go/json/shape.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import { daemonOptions, isUnsupported, unsupportedKeys } from "./daemon-options.ts";
import { checkPool, type Pool, type Values } from "./daemon-values.ts";

/** The options' file where none is named; it may be missing. */
export const defaultConfigFile = "/etc/berth/daemon.json";

/** The file's options by key, each in its option's type. */
export async function readDaemonFile(path: string, mustExist: boolean): Promise<Values> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing && !mustExist) return new Map();
    throw new EngineError("invalid", missing ? `open ${path}: no such file or directory` : messageOf(error), {
      cause: error,
    });
  }
  return parseDaemonFile(text);
}

const sizeOrText: Shape = string;
const ulimit = object("units.Ulimit", { Name: string, Hard: int64, Soft: int64 });
const shapes: Readonly<Record<string, Shape>> = {
  bool,
  int,
  string,
  strings,
  map: stringMap,
  size: sizeOrText,
  ulimits: map(ulimit, "map[string]*units.Ulimit"),
  pools: list(object("ipamutils.NetworkToSplit", { base: string, size: int })),
  networkOptions: map(stringMap, "map[string]map[string]string"),
  mirrors: map(strings, "map[string][]string"),
  proxies: object("config.Proxies", { "http-proxy": string, "https-proxy": string, "no-proxy": string }),
  gc: object("config.Gc", { "keep-size": string, "min-free": string, "unused-for": string, every: string }),
  runtimes: map(
    object("system.Runtime", { path: string, runtimeArgs: strings }),
    "map[string]system.Runtime",
  ),
};
const fileShape = object(
  "config.Config",
  Object.fromEntries(daemonOptions.flatMap(({ key, type }) => (shapes[type] ? [[key, shapes[type]]] : []))),
);

/** Docker has a list where we have a map too. */
const shapeWithList = object("config.Config", { ...fileShape.fields, "registry-mirrors": strings });

export function parseDaemonFile(text: string): Values {
  if (text.trim() === "") return new Map();
  const whole = parse(text);
  if (typeof whole !== "object" || whole === null || Array.isArray(whole))
    throw new EngineError("invalid", "invalid JSON: the configuration is not an object");
  refuseUnknown(whole);
  const mirrors = (whole as Record<string, unknown>)["registry-mirrors"];
  const decoded = decodeJson(text, Array.isArray(mirrors) ? shapeWithList : fileShape);
  const values: Values = new Map();
  for (const { key, type } of daemonOptions) if (key in decoded) values.set(key, convert(type, decoded[key]));
  return values;
}

function refuseUnknown(whole: object): void {
  const known = new Set(daemonOptions.map(({ key }) => key));
  const unknown = Object.keys(whole).filter((key) => !known.has(key) && !unsupportedKeys.has(key));
  if (unknown.length > 0)
    throw new EngineError(
      "invalid",
      `the following directives don't match any configuration option: ${unknown.join(", ")}`,
    );
  for (const [key, value] of Object.entries(whole))
    if (isUnsupported(key, value))
      throw new EngineError("notImplemented", `${key} is not supported by berth yet`);
}

/** From the file's form of a value to the one that flags have. */
function convert(type: string, value: unknown): unknown {
  switch (type) {
    case "size":
      return parseRamSize(value as string);
    case "ulimits":
      return Object.entries(value as Record<string, { Name?: string; Soft?: number; Hard?: number }>).map(
        ([name, { Name = name, Soft = 0, Hard = 0 }]) => ({ Name, Soft, Hard }),
      );
    case "pools":
      return (value as Partial<Pool>[]).map(({ base = "", size = 0 }) => checkPool({ base, size }));
    case "runtimes":
      return Object.fromEntries(
        Object.entries(value as Record<string, { path?: string; runtimeArgs?: string[] }>).map(
          ([name, runtime]) => {
            if (runtime.runtimeArgs?.length)
              throw new EngineError(
                "notImplemented",
                `runtimeArgs of the runtime ${name} is not supported by berth yet`,
              );
            return [name, runtime.path ?? name];
          },
        ),
      );
    default:
      return value;
  }
}
