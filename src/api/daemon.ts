import { unlink } from "node:fs/promises";
import { completeConfig, mergeValues } from "../engine/config/complete-config.ts";
import type { EngineConfig } from "../engine/config/config.ts";
import { defaultConfigFile, readDaemonFile } from "../engine/config/daemon-file.ts";
import { type DaemonFlags, daemonHelp, parseDaemonFlags } from "../engine/config/daemon-flags.ts";
import { IdleTrim } from "../engine/idle.ts";
import { berthVersion, buildId, gitCommit } from "../engine/info/build-info.ts";
import { checkHost } from "../engine/info/doctor.ts";
import { claimPidfile } from "../engine/roots.ts";
import { type StartedEngine, startEngine } from "../engine/start.ts";
import { EngineError, messageOf } from "../lib/errors.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { notifyManager } from "../system/process/notify.ts";
import { endpointsOf } from "./endpoints.ts";
import { commandRoute, type RunHosted } from "./hosted/route.ts";
import { Router } from "./router.ts";
import { routes } from "./routes/table.ts";
import { ApiServer } from "./server.ts";

/**
 * `berth daemon`: runs the engine until it is told to stop. Answers the exit code. `loadHosted` loads the client's code, for
 * the commands that the engine runs itself.
 */
export async function main(argv: readonly string[], loadHosted: () => Promise<RunHosted>): Promise<number> {
  try {
    const flags = parseDaemonFlags(argv);
    if (flags.help) return say(daemonHelp());
    if (flags.version) return say(`Berth version ${berthVersion}, build ${gitCommit}\n`);
    const config = await readConfig(flags);
    if (flags.validate) return say("configuration OK\n");
    return await run(config, flags, loadHosted);
  } catch (error) {
    process.stderr.write(`berth daemon: ${messageOf(error)}\n`);
    return 1;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function readConfig(flags: DaemonFlags): Promise<EngineConfig> {
  const path = flags.configFile ?? defaultConfigFile;
  try {
    const file = await readDaemonFile(path, flags.configFile !== undefined);
    return completeConfig(mergeValues(flags.values, file));
  } catch (error) {
    throw new EngineError(
      "invalid",
      `unable to configure the engine with file ${path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function run(
  config: EngineConfig,
  flags: DaemonFlags,
  loadHosted: () => Promise<RunHosted>,
): Promise<number> {
  const logger = loggerOf(config);
  catchStrays(logger);
  for (const { name, state, text } of checkHost()) {
    if (name === "root" && state === "missing") throw new EngineError("forbidden", text);
    if (state !== "found") logger[state === "missing" ? "error" : "warn"](text, { requirement: name });
  }
  const pidfile = claimPidfile(config.pidfile);
  try {
    return await serve(config, flags, logger, routerWith(loadHosted));
  } finally {
    await unlink(config.pidfile);
    pidfile.release();
  }
}

/** A hosted command has the whole of the API, but for hosting. */
const routerWith = (loadHosted: () => Promise<RunHosted>): Router =>
  new Router([...routes, commandRoute(new Router(routes), loadHosted, buildId)]);

/** The sockets are bound last: whoever reaches the engine finds it ready. */
async function serve(
  config: EngineConfig,
  flags: DaemonFlags,
  logger: DaemonLogger,
  router: Router,
): Promise<number> {
  const stopping = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stopping.resolve(signal));
  const endpoints = await endpointsOf(config);
  const engine = await startEngine(config, logger);
  const idle = new IdleTrim();
  const server = new ApiServer(engine, router, {
    // clients that are about to start a process connect before they have made their request
    connection: () => engine.containers.expectProcess(),
    request: () => idle.touch(),
  });
  try {
    for (const endpoint of endpoints) await server.listen(endpoint);
    idle.touch();
    process.on("SIGHUP", () => void reload(flags, engine, logger));
    tellManager(logger, "READY=1");
    logger.info("listening", { hosts: config.hosts.join(" "), version: berthVersion });
    logger.info("stopping", { signal: await stopping.promise });
    tellManager(logger, "STOPPING=1");
    return 0;
  } finally {
    idle.stop();
    const stopped = server.close().then(() => engine.stop());
    const late = Bun.sleep(config.shutdownTimeout * 1000).then(() => {
      throw new EngineError("internal", `the engine did not stop within ${config.shutdownTimeout} s`);
    });
    await Promise.race([stopped, late]);
  }
}

async function reload(flags: DaemonFlags, engine: StartedEngine, logger: DaemonLogger): Promise<void> {
  try {
    const config = await readConfig(flags);
    logger.configure(config);
    engine.reconfigure(config);
    logger.info("configuration read again");
  } catch (error) {
    logger.error("configuration not read again, the old one stays", { error: messageOf(error) });
  }
}

function tellManager(logger: Logger, state: string): void {
  const path = process.env["NOTIFY_SOCKET"];
  if (!path) return;
  try {
    notifyManager(path, state);
  } catch (error) {
    logger.warn("the service manager was not told", { state, error: messageOf(error) });
  }
}

/** A logger whose level and format a reload may change. */
interface DaemonLogger extends Logger {
  configure(config: EngineConfig): void;
}

function loggerOf(config: EngineConfig): DaemonLogger {
  const write = (line: string): void => {
    process.stderr.write(line);
  };
  const make = ({ logLevel: level, logFormat: format }: EngineConfig): Logger =>
    createLogger({ level, format, write });
  let current = make(config);
  return {
    debug: (message, fields) => current.debug(message, fields),
    info: (message, fields) => current.info(message, fields),
    warn: (message, fields) => current.warn(message, fields),
    error: (message, fields) => current.error(message, fields),
    configure: (next) => {
      current = make(next);
    },
  };
}

/** A fault that no request caught is a bug to be seen, not a reason to leave containers without an engine. */
function catchStrays(logger: Logger): void {
  const tell = (kind: string) => (error: unknown) =>
    logger.error(kind, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
  process.on("unhandledRejection", tell("unhandled rejection"));
  process.on("uncaughtException", tell("uncaught exception"));
}
