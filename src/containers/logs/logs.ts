import { EngineError } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import type { LogPolicy } from "../../runtime/contract.ts";
import { extraAttributes, renderTag } from "../../runtime/log-drivers/info.ts";
import { isRemoteDriver } from "../../runtime/log-drivers/options.ts";
import type { Container } from "../container.ts";
import { type Context, logPathOf } from "../context.ts";
import type { LogsRequest } from "../contract.ts";
import { infoOf } from "./log-driver.ts";

/** Where a container's log goes; undefined with the driver `none`. */
export const logPathIn = (ctx: Context, container: Container): string | undefined =>
  container.spec.hostConfig.LogConfig.Type === "none" ? undefined : logPathOf(ctx, container.id);

const units: Record<string, number> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `10m`, `100kb`, `512`: bytes; undefined for what is no size (and for -1, no limit). */
function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt])?i?b?$/i.exec(text.trim());
  if (!match) return undefined;
  return Math.floor(Number(match[1]) * (units[(match[2] ?? "b").toLowerCase()] ?? 1));
}

/** With a driver that hands lines on, the file is its buffer and the copy that `logs` reads. */
const copyPolicy: LogPolicy = { maxSize: 20_000_000, maxFiles: 5 };

/** `--log-opt max-size` and `max-file` over the engine's policy. */
export function logPolicyOf(ctx: Context, container: Container): LogPolicy {
  const options = container.spec.hostConfig.LogConfig.Config;
  const remote = isRemoteDriver(container.spec.hostConfig.LogConfig.Type);
  const policy = remote ? copyPolicy : ctx.config.logPolicy;
  const files = Number.parseInt(options[remote ? "cache-max-file" : "max-file"] ?? "", 10);
  const maxFiles = Number.isInteger(files) && files > 0 ? files : policy.maxFiles;
  const asked = options[remote ? "cache-max-size" : "max-size"];
  if (asked === undefined) return { ...policy, maxFiles };
  const maxSize = parseSize(asked);
  // a start refuses what is no size; the copy's is passed over, as with Docker
  if (maxSize === undefined && !asked.startsWith("-")) return { ...policy, maxFiles };
  return maxSize === undefined || maxSize === 0 ? { maxFiles } : { maxSize, maxFiles };
}

/** `GET /containers/{id}/logs`. Following ends with the container's process. */
export function logs(ctx: Context, container: Container, request: LogsRequest) {
  const { Tty } = container.spec.config;
  const path = logPathIn(ctx, container);
  const { Type: driver, Config: driverOptions } = container.spec.hostConfig.LogConfig;
  if (path === undefined || (isRemoteDriver(driver) && goBool(driverOptions["cache-disabled"] ?? "")))
    throw new EngineError("notImplemented", "configured logging driver does not support reading");
  if (container.neverStarted && !request.follow) return { terminal: Tty, output: emptyStream() };
  const { signal, details, ...options } = request;
  const output = ctx.runtime.logs(
    path,
    {
      ...options,
      terminal: Tty,
      ...(details ? { details: detailsOf(container) } : {}),
      ...(signal ? { signal } : {}),
    },
    container.alive ? container.ended : Promise.resolve(),
  );
  return { terminal: Tty, output };
}

const emptyStream = (): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });

/** What `--details` puts before each line: the labels and variables that the log options name, and the tag. */
function detailsOf(container: Container): string {
  const { config, hostConfig } = container.spec;
  const { Type: driver, Config: options } = hostConfig.LogConfig;
  if (driver !== "json-file") return "";
  const extra = extraAttributes({ labels: config.Labels, env: config.Env ?? [] }, options);
  if (options["tag"]) extra["tag"] = renderTag(infoOf(container), options);
  return Object.entries(extra)
    .map(([key, value]) => `${queryEscaped(key)}=${queryEscaped(value)}`)
    .sort()
    .join(",");
}

/** As Go writes a part of a query. */
const queryEscaped = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
