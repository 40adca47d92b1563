import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { SocketConnection } from "../client/connection.ts";
import { defaultHost } from "./endpoint.ts";
import { CliError } from "./errors.ts";
import { programName } from "./program.ts";

const logFile = "/var/log/berth.log";
const startLimitMs = 15_000;

/** With nobody on the default socket, root's client starts the engine in the background and waits until it answers. */
export async function startEngine(tell: (line: string) => void): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    tell(
      `${programName}: no engine is running and only root can start one: run "sudo ${programName} daemon", or name another with -H or DOCKER_HOST`,
    );
    return false;
  }
  tell(`${programName}: starting the engine in the background (log: ${logFile})`);
  const log = openSync(logFile, "a", 0o640);
  // A compiled program's own path is execPath; from source, the script's path must follow it.
  const script = process.argv[1]?.startsWith("/$bunfs") ? [] : process.argv.slice(1, 2);
  const child = spawn(process.execPath, [...script, "daemon"], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
  });
  closeSync(log);
  let ended: string | undefined;
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    ended = `it ended at once with ${signal ?? `exit code ${code}`}`;
  });
  child.unref();
  for (
    const limit = performance.now() + startLimitMs;
    performance.now() < limit && ended === undefined;
    await Bun.sleep(10)
  ) {
    if (await answers()) return true;
  }
  throw new CliError(
    `${programName}: the engine did not start: ${ended ?? `no answer within ${startLimitMs / 1000} s`}; see ${logFile}`,
  );
}

async function answers(): Promise<boolean> {
  try {
    (await SocketConnection.open({ unix: defaultHost.replace("unix://", "") })).close();
    return true;
  } catch {
    return false; // not listening yet, which is what is being waited for
  }
}
