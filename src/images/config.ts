import { EngineError, messageOf } from "../lib/errors.ts";
import { scan, wholeText } from "../lib/go/json/syntax.ts";
import { isSha256 } from "../lib/image/digest.ts";
import { parseNs } from "../lib/time/time.ts";
import type { ImageConfig } from "../types/oci.ts";

/**
 * An image's configuration as it comes from an archive or a registry: text that is checked field by field before
 * anything relies on it. Docker's sentences where it has them; all of kind `invalid`.
 */

/** Bytes of a configuration. Real ones are below 100 KB. */
export const configSizeMax = 8 * 1024 * 1024;
/** As many layers as Docker stacks. */
export const layersMax = 125;

const invalid = (message: string): EngineError => new EngineError("invalid", message);

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number" && Number.isSafeInteger(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isSet: Check = (value) =>
  isRecord(value) && Object.values(value).every((item) => item === null || isRecord(item));
const isTextMap: Check = (value) => isRecord(value) && Object.values(value).every(isText);
const isTime: Check = (value) => typeof value === "string" && parseNs(value) !== undefined;
const isHealthcheck: Check = (value) =>
  isRecord(value) &&
  fits(value, "config.Healthcheck", {
    Test: isTexts,
    Interval: isNumber,
    Timeout: isNumber,
    StartPeriod: isNumber,
    StartInterval: isNumber,
    Retries: isNumber,
  });

const runConfigFields: Record<string, Check> = {
  User: isText,
  ExposedPorts: isSet,
  Env: isTexts,
  Entrypoint: isTexts,
  Cmd: isTexts,
  Volumes: isSet,
  WorkingDir: isText,
  Labels: isTextMap,
  StopSignal: isText,
  Healthcheck: isHealthcheck,
  Shell: isTexts,
  OnBuild: isTexts,
  ArgsEscaped: isFlag,
};

const historyFields: Record<string, Check> = {
  created: isTime,
  created_by: isText,
  author: isText,
  comment: isText,
  empty_layer: isFlag,
};

const isHistory: Check = (value) =>
  Array.isArray(value) && value.every((item) => isRecord(item) && fits(item, "history", historyFields));

const topFields: Record<string, Check> = {
  created: isTime,
  author: isText,
  architecture: isText,
  os: isText,
  variant: isText,
  "os.version": isText,
  config: (value) => isRecord(value) && fits(value, "config", runConfigFields),
  history: isHistory,
  comment: isText,
  docker_version: isText,
  parent: isText,
};

/** True, or throws for the first field that is of another kind; absent and null fields pass, unknown ones too. */
function fits(value: Record<string, unknown>, where: string, fields: Record<string, Check>): true {
  for (const [name, check] of Object.entries(fields)) {
    const field = Object.hasOwn(value, name) ? value[name] : undefined;
    if (field !== undefined && field !== null && !check(field))
      throw invalid(`invalid image configuration: ${where ? `${where}.` : ""}${name} is malformed`);
  }
  return true;
}

/** JSON text of an archive or registry as a value; `what` names it in the sentence, which is Go's alone without it. */
export function parseJson(bytes: Uint8Array | string, what = ""): unknown {
  const text = typeof bytes === "string" ? bytes : new TextDecoder("utf-8").decode(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = scan(text);
    const why = "error" in found ? found.error : messageOf(error);
    throw invalid(what === "" ? why : `${what} is not JSON: ${why}`);
  }
}

/** The configuration as an object, in the words that Go has for a whole text. */
function parseWhole(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw invalid(wholeText(messageOf(error)));
  }
  if (value === null) return {};
  if (isRecord(value)) return value;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  throw invalid(`json: cannot unmarshal ${kind} into Go value of type image.Image`);
}

/** Checks a configuration's text and returns it parsed. The text itself is what the image's id is the digest of. */
export function parseConfig(text: string): ImageConfig {
  if (text.length > configSizeMax)
    throw new EngineError("tooLarge", `image configuration is over ${configSizeMax} bytes`);
  const value = parseWhole(text);
  if (!isRecord(value["rootfs"])) throw invalid("invalid image JSON, no RootFS key");
  fits(value, "", topFields);
  const config = withoutNulls(value) as unknown as ImageConfig;
  checkLayers(config);
  return { ...config, architecture: config.architecture ?? "", os: config.os || "linux" };
}

const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));

function checkLayers(config: ImageConfig): void {
  const diffIds: unknown = config.rootfs.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === "string" && isSha256(id)))
    throw invalid("invalid image configuration: rootfs.diff_ids is malformed");
  config.rootfs = { type: "layers", diff_ids: diffIds };
  if (diffIds.length > layersMax) throw invalid("max depth exceeded");
  const filled = (config.history ?? []).filter((entry) => !entry.empty_layer).length;
  if (filled > diffIds.length) throw invalid("too many non-empty layers in History section");
}

/** When the image was made, in nanoseconds since the epoch; undefined where it does not say. */
export const createdNs = (config: ImageConfig): bigint | undefined =>
  config.created === undefined ? undefined : parseNs(config.created);

/** A time as Go prints it again: as written, without the fraction's trailing zeros. */
export const goTime = (text: string): string =>
  text.replace(/\.(\d*?)0*(?=Z|[+-])/, (_, digits) => (digits ? `.${digits}` : ""));
