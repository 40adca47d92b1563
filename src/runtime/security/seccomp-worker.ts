import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { compileSeccomp } from "../../system/process/seccomp.ts";
import type { WorkerPort } from "../../system/workers/worker.ts";
import type { Seccomp } from "../../types/runtime-spec.ts";

export interface CompileRequest {
  profile: Seccomp;
  /** where the program is put, whole or not at all */
  file: string;
}

/** Compiles a profile off the main thread: libseccomp takes tens of milliseconds. */
export function start(port: WorkerPort): void {
  port.onCall((_method, { profile, file }: CompileRequest) => {
    const scratch = `${file}.tmp`;
    compileSeccomp(profile, scratch);
    sync(scratch);
    renameSync(scratch, file);
  });
}

/** An exec root on a disk must not have the name without the program after a loss of power: nothing would start. */
function sync(file: string): void {
  const fd = openSync(file, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
