import { readlinkSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { close, cwdFd, flags, must, openRaw, statFd, toBytes } from "../../system/files/at.ts";
import { packTree } from "./pack.ts";

/** A file or folder of this machine, and by what its caller knows it. */
export interface LocalSource {
  path: string;
  /** what it is called in the container */
  name: string;
  device: { major: number; minor: number };
  inode: bigint;
  /** the caller's mount namespace, as /proc/self/ns/mnt tells it */
  mountNamespace: string;
}

/** other calls of the thread get their turn at least this often, and a copy that nobody waits for ends */
const turnMs = 20;

/**
 * What `cp` would send, read here instead: nothing goes through a socket. The caller may see other files than the engine:
 * in a mount namespace of its own something else may be mounted below the source, and under another root the path leads
 * elsewhere. Both are refused (`conflict`), and then it sends.
 */
export async function* readLocal(source: LocalSource, cancelled: () => boolean): AsyncGenerator<Uint8Array> {
  if (source.mountNamespace !== readlinkSync("/proc/self/ns/mnt"))
    throw new EngineError("conflict", "the caller's mounts are not the engine's");
  const opened = openRaw(cwdFd, toBytes(source.path), flags.path | flags.noFollow);
  const fd = must(opened, () => `open ${source.path}`);
  try {
    const status = statFd(fd);
    const same =
      status.inode === source.inode &&
      status.onMajor === source.device.major &&
      status.onMinor === source.device.minor;
    if (!same) throw new EngineError("conflict", `${source.path} is another file to the engine`);
    let turn = performance.now();
    for (const bytes of packTree(fd, Buffer.from(source.name, "utf8").toString("latin1"))) {
      yield bytes;
      if (performance.now() - turn < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      if (cancelled()) throw new EngineError("unavailable", "the client went away");
      turn = performance.now();
    }
  } finally {
    close(fd);
  }
}
