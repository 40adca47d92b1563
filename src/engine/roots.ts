import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "../lib/errors.ts";
import { type FileLock, lockFile } from "../system/files/lock.ts";
import type { EngineConfig } from "./config/config.ts";

/**
 * Makes the engine's folders and locks them, so that no second engine works on the same state: the locks end with the
 * process, however it ends. Answers how to let go. Throws one sentence that says what is in the way.
 */
export function claimRoots(config: EngineConfig): () => void {
  const locks: FileLock[] = [];
  const release = (): void => {
    for (const lock of locks.splice(0)) lock.release();
  };
  if (config.dataRoot === config.execRoot)
    throw new EngineError(
      "invalid",
      `the data root and the exec root are the same folder: ${config.dataRoot}`,
    );
  try {
    locks.push(claimFolder("data root", "--data-root", config.dataRoot, 0o710));
    locks.push(claimFolder("exec root", "--exec-root", config.execRoot, 0o711));
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

function claimFolder(what: string, flag: string, folder: string, mode: number): FileLock {
  const lock = unusable(`use the ${what} ${folder}`, () => {
    mkdirSync(folder, { recursive: true, mode });
    return lockFile(join(folder, "lock"));
  });
  if ("release" in lock) return lock;
  throw new EngineError(
    "conflict",
    `another engine (pid ${lock.holder}) uses the ${what} ${folder}: stop it, or give this one its own with ${flag}`,
  );
}

/** Claims the pid file in the same way; a stale one of a dead process is taken over. */
export function claimPidfile(path: string): FileLock {
  const lock = unusable(`use the pid file ${path}`, () => {
    mkdirSync(join(path, ".."), { recursive: true });
    return lockFile(path);
  });
  if ("release" in lock) return lock;
  throw new EngineError(
    "conflict",
    `another engine (pid ${lock.holder}) has the pid file ${path}: stop it, or give this one its own with --pidfile`,
  );
}

function unusable<Result>(doing: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const why = code === "EEXIST" || code === "ENOTDIR" ? "a file is in its way" : messageOf(error);
    throw new EngineError("internal", `cannot ${doing}: ${why}`, { cause: error });
  }
}
