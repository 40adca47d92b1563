import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import type { IdMap, IdRange } from "../../lib/users/id-map.ts";
import { type SpawnedProcess, spawnProcess } from "../process/process.ts";

/**
 * User namespaces, user_namespaces(7). A process with threads can neither make nor enter one, so a child does, and its
 * namespaces are held by descriptors once it has been ended.
 */
interface HeldNamespaces {
  user: number;
  /** a network namespace that belongs to it */
  network: number | undefined;
  close(): void;
}

const openWaitMs = 5000;

/** A new user namespace whose ids `disk` are the parent's `seen`; with `network`, a network namespace of its own in it. */
export async function openUserNamespace(
  map: IdMap,
  { network }: { network: boolean },
): Promise<HeldNamespaces> {
  const kinds = network ? (["user", "net"] as const) : (["user"] as const);
  return whileHolding(["unshare", "--user", ...(network ? ["--net"] : []), ...waiting], async (holder) => {
    await until(holder, kinds);
    writeFileSync(`/proc/${holder.pid}/uid_map`, lines(map.uids));
    writeFileSync(`/proc/${holder.pid}/gid_map`, lines(map.gids));
    return held(holder, network);
  });
}

/** A new network namespace that belongs to the user namespace at `path`. */
export async function openNetworkNamespaceOf(path: string): Promise<HeldNamespaces> {
  return whileHolding(["nsenter", `--user=${path}`, "unshare", "--net", ...waiting], async (holder) => {
    await until(holder, ["user", "net"]);
    return held(holder, true);
  });
}

/** it ends by itself soon after an engine that was killed while it made one */
const waiting = ["sleep", "10"];

async function whileHolding(
  argv: readonly string[],
  work: (holder: SpawnedProcess) => Promise<HeldNamespaces>,
): Promise<HeldNamespaces> {
  const holder = spawnProcess({
    argv,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    cwd: "/",
    fds: ["ignore", "ignore", "ignore"],
  });
  try {
    return await work(holder);
  } finally {
    holder.kill();
    await holder.exited;
  }
}

type Kind = "user" | "net";

/** The child is in its namespaces. One that ended instead has told why to nobody: the kernel refused. */
async function until({ pid, exited }: SpawnedProcess, kinds: readonly Kind[]): Promise<void> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const limit = performance.now() + openWaitMs;
  while (!kinds.every((kind) => isOther(pid, kind))) {
    if (ended || performance.now() > limit)
      throw new EngineError(
        "unavailable",
        "no user namespace could be made: see the kernel's settings user.max_user_namespaces and user.max_net_namespaces",
      );
    await Bun.sleep(1);
  }
}

function isOther(pid: number, kind: Kind): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return false; // it has ended: told by the caller
  }
}

function held({ pid }: SpawnedProcess, network: boolean): HeldNamespaces {
  const user = openSync(`/proc/${pid}/ns/user`, "r");
  let net: number | undefined;
  try {
    net = network ? openSync(`/proc/${pid}/ns/net`, "r") : undefined;
  } catch (error) {
    closeSync(user);
    throw error;
  }
  return {
    user,
    network: net,
    close: () => {
      closeSync(user);
      if (net !== undefined) closeSync(net);
    },
  };
}

const lines = (ranges: readonly IdRange[]): string =>
  ranges.map(({ disk, seen, count }) => `${disk} ${seen} ${count}\n`).join("");

/** The name of the user namespace that this process is in, as a link below /proc/<pid>/ns tells it. */
export const ownUserNamespace = (): string => readlinkSync("/proc/self/ns/user");
