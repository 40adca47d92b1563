import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { withoutPassword } from "../../lib/net/url-password.ts";
import { runCommand } from "../../system/process/process.ts";
import type { GitSource } from "../dockerfile/apply/git-source.ts";
import { splitCredentials } from "./git-credentials.ts";
import { roomIn, webLimits } from "./web.ts";

export interface Checkout {
  /** the caller deletes it */
  folder: string;
  commit: string;
}

const timeoutMs = 600_000;
/** How often the disk is asked for room, ms: many files of a repository fill it as one large one does. */
const askedEveryMs = 1000;

/**
 * A git repository at a branch, tag or commit, without its history. The host's git does it, without a terminal, hooks or
 * any configuration but the system's; only https, http, git and ssh remotes are taken. `agent`: socket of the one agent
 * whose keys serve, instead of those of the engine's user.
 */
export async function checkOut(
  source: GitSource,
  scratch: string,
  signal: AbortSignal,
  agent?: string,
): Promise<Checkout> {
  refuse(source.remote, source.ref);
  if (agent !== undefined && !/^\/[^\0]*$/.test(agent))
    throw new EngineError("invalid", `${JSON.stringify(agent)} is no path of an SSH agent's socket`);
  if (Bun.which("git") === null)
    throw new EngineError("unavailable", "git is not installed: install the package git (apt install git)");
  const folder = join(scratch, `git-${newId().slice(0, 24)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { bytesMax } = await webLimits(folder);
  const full = new AbortController();
  const timer = setInterval(async () => {
    const room = await roomIn(folder).catch(() => bytesMax);
    if (room === 0)
      full.abort(new EngineError("tooLarge", "the git repository is larger than the disk has room for"));
  }, askedEveryMs);
  try {
    const ssh = agent === undefined ? await engineSsh() : sshWithAgent;
    const { remote, env } = splitCredentials(source.remote);
    const own = { ...env, ...(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }) };
    const limits = { bytesMax, env: own, ssh, signal: AbortSignal.any([signal, full.signal]) };
    return { folder, commit: await fill(folder, { ...source, remote }, (args) => run(args, limits)) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function fill(
  folder: string,
  { remote, ref, submodules, checksum }: GitSource,
  call: (args: readonly string[]) => Promise<string>,
): Promise<string> {
  const git = (...args: string[]): Promise<string> => call(["-C", folder, ...args]);
  await git("init", "-q");
  await git("remote", "add", "--", "origin", remote);
  const wanted = ref === "" ? "HEAD" : ref;
  await git("checkout", "-q", "--detach", await fetched(git, wanted));
  const commit = (await git("rev-parse", "HEAD")).trim();
  if (checksum !== "" && !commit.startsWith(checksum))
    throw new EngineError("invalid", `expected checksum to match ${checksum}, got ${commit}`);
  if (submodules) await git("submodule", "-q", "update", "--init", "--recursive", "--depth=1");
  return commit;
}

/** What to check out. A server may know nothing of shallow copies, or give no commit by its id. */
async function fetched(git: (...args: string[]) => Promise<string>, wanted: string): Promise<string> {
  const shallow = ["fetch", "-q", "--depth", "1", "--no-tags", "origin", wanted];
  for (const command of [shallow, ["fetch", "-q", "--no-tags", "origin", wanted]]) {
    const done = await git(...command).then(
      () => true,
      () => false, // the next way says what is wrong
    );
    if (done) return "FETCH_HEAD";
  }
  await git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", "--tags");
  const known = await git("rev-parse", "-q", "--verify", `${wanted}^{commit}`).then(
    () => true,
    () => false,
  );
  if (!known) throw new EngineError("notFound", `repository does not contain ref ${wanted}`);
  return wanted;
}

function refuse(remote: string, ref: string): void {
  const known = /^(https?|git|ssh):\/\//.test(remote) || /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:/.test(remote);
  if (!known || ref.startsWith("-"))
    throw new EngineError(
      "invalid",
      `${JSON.stringify(withoutPassword(remote))} is no git remote that can be cloned`,
    );
}

/** A server may neither be silent at the start nor later. */
const sshBounds = "-o BatchMode=yes -o ConnectTimeout=60 -o ServerAliveInterval=15 -o ServerAliveCountMax=4";

/**
 * Without the engine's own keys and settings; whose host it is nobody can say, as in BuildKit. git gives this to a shell:
 * the agent's path, which is the caller's, comes by the environment (IdentityAgent, ssh_config(5)).
 */
const sshWithAgent = `ssh -F none ${sshBounds} -o IdentityFile=none -o IdentityAgent=SSH_AUTH_SOCK -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null`;

/** What the system's configuration of git names, or the usual one. */
async function engineSsh(): Promise<string> {
  const { stdout } = await runCommand(["git", "config", "--system", "core.sshCommand"]);
  return stdout.trim() || `ssh ${sshBounds}`;
}

/** Whether a remote is reached with a key. */
export const needsKey = (remote: string): boolean =>
  remote.startsWith("ssh://") || !/^[a-z]+:\/\//i.test(remote);

/** What a machine's own settings would make of the files: the same commit is the same everywhere. */
const sameFiles = [
  "core.autocrlf=false",
  "core.eol=lf",
  "core.fileMode=true",
  "core.symlinks=true",
  "core.attributesFile=/dev/null",
].flatMap((setting) => ["-c", setting]);

interface Limits {
  bytesMax: number;
  env: Readonly<Record<string, string>>;
  ssh: string;
  signal: AbortSignal;
}

/** No file that git writes is larger than `bytesMax`, and a server may not be silent for long. */
async function run(args: readonly string[], { bytesMax, env, ssh, signal }: Limits): Promise<string> {
  signal.throwIfAborted();
  const settings = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.file.allow=never",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "http.lowSpeedLimit=1",
    "-c",
    "http.lowSpeedTime=60",
    ...sameFiles,
    "-c",
    `core.sshCommand=${ssh}`,
  ];
  const limited = ["sh", "-c", 'ulimit -f "$0"; exec git "$@"', String(Math.floor(bytesMax / 512))];
  const { exitCode, stdout, stderr } = await runCommand([...limited, ...settings, ...args], timeoutMs, {
    signal,
    session: true,
    env,
  });
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw new EngineError("invalid", `git ${args[2] ?? ""}: ${stderr.trim().slice(0, 500)}`);
  return stdout;
}
