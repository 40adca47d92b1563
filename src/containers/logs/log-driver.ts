import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import { compilePattern } from "../../lib/text/pattern.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import { formatNs } from "../../lib/time/time.ts";
import { type LogInfo, renderTag } from "../../runtime/log-drivers/info.ts";
import { isRemoteDriver, type LogDriverOptions } from "../../runtime/log-drivers/options.ts";
import type { Container } from "../container.ts";
import { type Context, folderOf, logPathOf } from "../context.ts";

type Follow = (ended: Promise<unknown>) => void;

/**
 * Before a start: what hands the container's log on, once there is a process; undefined for a driver that keeps lines in
 * the engine's files. Fails in Docker's words where options make no sense or, with `mustConnect`, nobody answers.
 */
export async function openLogDriver(
  ctx: Context,
  container: Container,
  { mustConnect }: { mustConnect: boolean },
): Promise<Follow | undefined> {
  const { Type: driver, Config: options } = container.spec.hostConfig.LogConfig;
  try {
    if (!isRemoteDriver(driver)) {
      if (Object.keys(options).length > 0) checkFileOptions(driver, options, container);
      return undefined;
    }
    return await ctx.runtime.openLogDriver({
      info: infoOf(container),
      driver,
      options,
      logPath: logPathOf(ctx, container.id),
      // in a folder of its own: who watches the log's folder is not to be woken by it
      positionPath: join(folderOf(ctx, container.id), "log-driver", "position.json"),
      mustConnect: mustConnect && !goBool(options["fluentd-async"] ?? ""),
    });
  } catch (error) {
    throw new EngineError(
      "internal",
      `failed to create task for container: failed to initialize logging driver: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** At the engine's start: goes on where the last engine was, with a container that runs or has ended. */
export async function resumeLogDriver(
  ctx: Context,
  container: Container,
  ended: Promise<unknown>,
): Promise<void> {
  if (!isRemoteDriver(container.spec.hostConfig.LogConfig.Type)) return;
  try {
    (await openLogDriver(ctx, container, { mustConnect: false }))?.(ended);
  } catch (error) {
    ctx.logger.error("a log driver could not be opened again", {
      container: container.id,
      error: messageOf(error),
    });
  }
}

/** What the drivers that write files refuse at a start. `max-size=-1` is no bound, as in the engine's own options. */
function checkFileOptions(driver: string, options: LogDriverOptions, container: Container): void {
  const { "max-size": size, "max-file": files, compress } = options;
  if (driver === "none") return;
  const local = driver === "local";
  if (size !== undefined && size !== "-1") {
    const value = parseOption(size, parseRamSize, local ? `invalid value for max-size: ${size}: ` : "");
    if (value === 0 && !local) throw new Error("max-size must be a positive number");
  }
  if (files !== undefined && !/^\d+$/.test(files))
    throw new Error(`strconv.Atoi: parsing ${JSON.stringify(files)}: invalid syntax`);
  if (compress !== undefined && goBool(compress) === undefined) {
    const sentence = `strconv.ParseBool: parsing ${JSON.stringify(compress)}: invalid syntax`;
    throw new Error(local ? `error reading compress log option: ${sentence}` : sentence);
  }
  if (files !== undefined && Number(files) < 1) throw new Error("max-file cannot be less than 1");
  if (!local && goBool(compress ?? "") && (size === undefined || Number(files ?? 1) < 2))
    throw new Error("compress cannot be true when max-file is less than 2 or max-size is not set");
  // its counterpart for variables Docker lets pass
  const labels = options["labels-regex"];
  if (labels && compilePattern(labels) === undefined)
    throw new Error(`error parsing regexp: ${JSON.stringify(labels)} is none`);
  if (options["tag"]) renderTag(infoOf(container), options);
}

function parseOption(text: string, parse: (text: string) => number, doing: string): number {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${doing}${messageOf(error)}`, { cause: error });
  }
}

export function infoOf(container: Container): LogInfo {
  const { spec, id, name, imageId, createdAtNs } = container;
  return {
    containerId: id,
    containerName: name,
    imageId,
    imageName: spec.imageName,
    command: [spec.path, ...spec.args].join(" "),
    created: formatNs(createdAtNs),
    labels: spec.config.Labels,
    env: spec.config.Env ?? [],
  };
}
