import { closeSync, openSync } from "node:fs";
import { EngineError } from "../lib/errors.ts";
import { signalPidfd } from "../system/process/signals.ts";
import type { HeldNamespace, NamespaceKind } from "./contract.ts";

/**
 * Opens a namespace of a process. Its number may be another process's any time after it ended; so the descriptor is
 * opened first, and counts only if the process, by its pidfd, has not been reaped after that.
 */
export function holdNamespace(
  { pid, pidfd }: { pid: number; pidfd: number | undefined },
  kind: NamespaceKind,
  id: string,
): HeldNamespace {
  const gone = (): EngineError => new EngineError("conflict", `container ${id} is not running`);
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/ns/${kind}`, "r");
  } catch (error) {
    // it has ended (a zombie has no namespaces any more)
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw gone();
    throw error;
  }
  // kernels before 5.3 have no pidfd: there the number has to do
  if (pidfd !== undefined && !signalPidfd(pidfd, 0)) {
    closeSync(fd);
    throw gone();
  }
  return { path: `/proc/${process.pid}/fd/${fd}`, close: () => closeSync(fd) };
}
