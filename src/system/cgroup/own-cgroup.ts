import { closeSync, existsSync, openSync, readSync, write } from "node:fs";
import { join } from "node:path";

/** What /proc/self/cgroup holds at most of interest: the first group that is mounted is taken. */
const listBytes = 16 << 10;

/** The file that lists the members of a group, open for as long as somebody writes to it. */
class Members {
  private readonly fd: number;
  private writes = 0;
  private left = false;

  constructor(path: string) {
    this.fd = openSync(path, "r+");
  }

  /** In a thread of the pool: the kernel may take milliseconds. */
  write(bytes: Uint8Array): Promise<void> {
    this.writes++;
    return new Promise((resolve, reject) => {
      write(this.fd, bytes, 0, bytes.length, null, (error) => {
        this.writes--;
        this.closeUnused();
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Closed now, or once the last write is done: its number would be another file's by then. */
  leave(): void {
    this.left = true;
    this.closeUnused();
  }

  private closeUnused(): void {
    if (this.left && this.writes === 0) closeSync(this.fd);
  }
}

/** The control group this process is in. Both files stay open: it is asked with each connection to the engine. */
export class OwnCgroup {
  /** where a hierarchy is mounted, by its first controller's name or `name=`; "" for version 2 */
  private readonly mounted: (hierarchy: string) => string | undefined;
  private readonly listPath: string;
  private readonly pid = Buffer.from(String(process.pid));
  private readonly buffer = Buffer.alloc(listBytes);
  private list: number | undefined;
  private text = "";
  private members: Members | undefined;

  constructor(mounted: (hierarchy: string) => string | undefined, listPath = "/proc/self/cgroup") {
    this.mounted = mounted;
    this.listPath = listPath;
  }

  /** Moves this process to where it is, in a thread of the pool. Rejects where the group takes no processes. */
  async moveHere(): Promise<void> {
    this.list ??= openSync(this.listPath, "r");
    const text = this.buffer.toString("latin1", 0, readSync(this.list, this.buffer, 0, listBytes, 0));
    if (text !== this.text) this.follow(text);
    await this.members?.write(this.pid);
  }

  /** We are somewhere else than the last time. */
  private follow(text: string): void {
    this.members?.leave();
    this.members = undefined;
    this.text = text;
    const path = this.membersOf(text);
    if (path !== undefined) this.members = new Members(path);
  }

  private membersOf(text: string): string | undefined {
    for (const line of text.split("\n")) {
      const [, names = "", ...path] = line.split(":");
      const root =
        path.length === 0 ? undefined : this.mounted((names.split(",")[0] ?? "").replace(/^name=/, ""));
      if (root === undefined) continue;
      const file = join(root, path.join(":"), "cgroup.procs");
      if (existsSync(file)) return file;
    }
    return undefined;
  }
}
