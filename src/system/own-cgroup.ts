import { closeSync, existsSync, openSync, readSync, write } from "node:fs";
import { join } from "node:path";

/** What /proc/self/cgroup holds at most of interest: the first group that is mounted is taken. */
const listBytes = 16 << 10;

/** The control group this process is in. Both files stay open: it is asked with each connection to the engine. */
export class OwnCgroup {
  /** where a hierarchy is mounted, by its first controller's name or `name=`; "" for version 2 */
  private readonly mounted: (hierarchy: string) => string | undefined;
  private readonly pid = Buffer.from(String(process.pid));
  private readonly buffer = Buffer.alloc(listBytes);
  private list: number | undefined;
  private text = "";
  private members: number | undefined;

  constructor(mounted: (hierarchy: string) => string | undefined) {
    this.mounted = mounted;
  }

  /** Moves this process to where it is, in a thread of the pool. Rejects where the group takes no processes. */
  moveHere(): Promise<void> {
    this.list ??= openSync("/proc/self/cgroup", "r");
    const text = this.buffer.toString("latin1", 0, readSync(this.list, this.buffer, 0, listBytes, 0));
    if (text !== this.text) this.follow(text);
    const { members } = this;
    if (members === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      write(members, this.pid, 0, this.pid.length, null, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** We are somewhere else than the last time. */
  private follow(text: string): void {
    if (this.members !== undefined) closeSync(this.members);
    this.members = undefined;
    this.text = text;
    const path = this.membersOf(text);
    if (path !== undefined) this.members = openSync(path, "r+");
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
