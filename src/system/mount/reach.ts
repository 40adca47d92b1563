import { readlink } from "node:fs/promises";
import { EngineError } from "../../lib/errors.ts";
import { spawnProcess } from "../process/process.ts";
import { type MountEntry, mountEntries } from "./mount-table.ts";

const reachMs = 5000;
/** how long a question that found no answer goes on, and its file system is refused without another */
const askMs = 30_000;
const linksMax = 40;

/** These wait for a server or for a program; what disks and memory hold answers. */
const remoteTypes =
  /^(nfs4?|cifs|smb3|smbfs|fuse|fuseblk|fuse\..*|9p|virtiofs|vboxsf|vmhgfs|prl_fs|ceph|glusterfs|lustre|gpfs|beegfs|panfs|orangefs|pvfs2|ocfs2|gfs2|afs|coda|ncpfs|autofs)$/;

interface Question {
  path: string;
  /** true: answered; false: not in time */
  answered: Promise<boolean>;
  late: boolean;
}

/** the open question to each file system, by its device: there is never more than one */
const open = new Map<string, Question>();

/**
 * Resolves once the file systems that hold `paths` answer, whether or not the paths are there. One that hangs, such as a
 * network file system whose server is gone, is told after a while, and at once while that question is open: who touched it
 * directly would stand still, and with the main thread the whole engine. A process is what asks: it may hang as it likes,
 * where a thread would be one of the few that all file work shares. Local file systems are not asked.
 */
export async function reach(
  paths: readonly string[],
  { mounts = mountEntries, ask = askByProcess, limitMs = reachMs } = {},
): Promise<void> {
  if (paths.length === 0) return;
  const table = await mounts();
  // where the root itself hangs there is nothing left to save
  if (!table.some(({ point, type }) => point !== "/" && remoteTypes.test(type))) return;
  const mountAt = new Map(table.map((mount) => [mount.point, mount])); // the last at a point covers the others
  await Promise.all(
    paths.map(async (path) => {
      const mount = await firstRemote(path, mountAt);
      if (mount && !(await answers(mount.device, path, ask, limitMs)))
        throw new EngineError(
          "internal",
          `stat ${path}: its file system does not answer (a server that is gone?)`,
        );
    }),
  );
}

/** The first file system on the way to a path that may hang. The way is walked by name, so that it is not touched. */
async function firstRemote(
  path: string,
  mountAt: ReadonlyMap<string, MountEntry>,
): Promise<MountEntry | undefined> {
  const rest = path.split("/").reverse();
  let at = "";
  let links = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
      continue;
    }
    const next = `${at}/${name}`;
    const mount = mountAt.get(next);
    if (mount && remoteTypes.test(mount.type)) return mount;
    const target = await linkAt(next);
    if (target === "missing" || links > linksMax) return undefined;
    if (target === "none") {
      at = next;
      continue;
    }
    links++;
    if (target.link.startsWith("/")) at = "";
    rest.push(...target.link.split("/").reverse());
  }
  return undefined;
}

async function linkAt(path: string): Promise<{ link: string } | "none" | "missing"> {
  try {
    return { link: await readlink(path) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EINVAL" ? "none" : "missing";
  }
}

/** Each path is asked for, one after another. */
async function answers(device: string, path: string, ask: Ask, limitMs: number): Promise<boolean> {
  for (let before = open.get(device); before; before = open.get(device)) {
    if (before.late) return false;
    const answered = await before.answered;
    if (!answered || before.path === path) return answered;
  }
  const question: Question = { path, late: false, answered: Promise.resolve(true) };
  open.set(device, question);
  const answer = ask(path).finally(() => open.delete(device));
  question.answered = within(answer, limitMs).then((inTime) => {
    question.late = !inTime;
    return inTime;
  });
  return question.answered;
}

async function within(answer: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([answer.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

type Ask = (path: string) => Promise<void>;

/** statfs(2), which no cache answers, then stat(2) of the path itself; whatever they say is an answer. */
async function askByProcess(path: string): Promise<void> {
  for (const form of ["-f", "-L"]) {
    const { exited, kill } = spawnProcess({
      argv: ["stat", form, "--", path],
      env: { PATH: process.env["PATH"] ?? "" },
      cwd: "/",
      fds: ["ignore", "ignore", "ignore"],
    });
    const timer = setTimeout(kill, askMs);
    timer.unref();
    await exited;
    clearTimeout(timer);
  }
}
