import { closeSync, readFileSync, unlink } from "node:fs";
import type { Logger } from "../../lib/log.ts";
import { memoryFile, pathOf, sealedFile } from "../../system/files/sealed-file.ts";
import type { ExecProcess } from "../contract.ts";
import { inBundle } from "../paths.ts";
import { specJson } from "../spec/json.ts";

/**
 * What the OCI runtime reads and writes to start one exec. The specification of its process and the runtime's log are files
 * in memory, which it opens by their descriptors here; the pid's file lies in the container's bundle, for runc makes it
 * under another name first. Nothing waits for a disk, and whatever a crash leaves goes with the container.
 */
export class ExecFiles {
  readonly process: string;
  readonly log: string;
  readonly pid: string;
  private readonly fds: readonly [process: number, log: number];
  private readonly logger: Logger;

  constructor(bundle: string, exec: ExecProcess, logger: Logger) {
    const text = Buffer.from(specJson(exec.process));
    const process = sealedFile("exec-process", text);
    try {
      this.fds = [process, memoryFile("exec-log")];
    } catch (error) {
      closeSync(process);
      throw error;
    }
    this.process = pathOf(this.fds[0]);
    this.log = pathOf(this.fds[1]);
    this.pid = inBundle.execPid(bundle, exec.id);
    this.logger = logger;
  }

  /** 0 while there is none. A file of a few bytes: no need to leave the thread. */
  writtenPid(): number {
    try {
      return Number(readFileSync(this.pid, "latin1"));
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return 0;
      throw error;
    }
  }

  /** The runtime's own words, where it failed. */
  complaint(): string {
    return readFileSync(this.fds[1], "utf8").trim();
  }

  /** Once: the descriptors may be another's after that. */
  release(): void {
    for (const fd of this.fds) closeSync(fd);
    unlink(this.pid, (error) => {
      if (error && error.code !== "ENOENT")
        this.logger.warn("the file of an exec's pid stays", { path: this.pid, error: error.message });
    });
  }
}
