import { closeSync, readFileSync, statSync } from "node:fs";
import { pathOf, sealedFile } from "../../system/files/sealed-file.ts";

/**
 * A runtime's program as a sealed copy in memory.
 *
 * crun guards its file against being overwritten from within a container (CVE-2019-5736): each time it begins, it copies
 * itself and executes the copy, unless it runs from a sealed file already. One copy that the engine keeps is the same
 * protection for 2.5 ms less a call. Whoever replaces the program (an upgrade) gets a new copy with the next container.
 */
export class SealedRuntime {
  private readonly path: string;
  private copy: { fd: number; version: string } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** A path to execute it by, good while this process lives. */
  executable(): string {
    const { ino, size, mtimeMs } = statSync(this.path);
    const version = `${ino} ${size} ${mtimeMs}`;
    if (this.copy?.version !== version) this.copy = this.renew(version);
    return pathOf(this.copy.fd);
  }

  private renew(version: string): { fd: number; version: string } {
    const fd = sealedFile("oci-runtime", readFileSync(this.path), { executable: true });
    const old = this.copy;
    // a conmon that was just spawned may be about to execute it
    if (old) setTimeout(() => closeSync(old.fd), 60_000).unref();
    return { fd, version };
  }
}
