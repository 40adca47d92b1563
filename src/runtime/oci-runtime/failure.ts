import { EngineError, type ErrorKind } from "../../lib/errors.ts";

/**
 * Why a process could not be started, in Docker's words. `exitCode` is what a client's command ends with: 127 for
 * what is not there, 126 for what cannot be run, undefined for anything else (the client's 125 or 1).
 */
export class StartFailure extends EngineError {
  readonly exitCode: 126 | 127 | undefined;
  /** what the OCI runtime itself said of it, without what Docker puts before and behind that */
  readonly reason: string;

  constructor(message: string, options?: { cause?: unknown }) {
    const exitCode = exitCodeFor(message);
    const kind: ErrorKind = exitCode === undefined ? "internal" : "invalid";
    super(kind, withHint(message), options);
    this.exitCode = exitCode;
    this.reason = message.slice(message.startsWith(createFailed) ? createFailed.length : 0);
  }
}

/** Docker decides by the words of the message; the last rule that fits wins. */
export function exitCodeFor(message: string): 126 | 127 | undefined {
  const text = message.toLowerCase();
  if (text.includes("not a directory")) return 127;
  if (text.includes("permission denied") || text.includes("is a directory")) return 126;
  if (text.includes("executable file not found") || text.includes("no such file or directory")) return 127;
  return undefined;
}

const mountHint =
  "Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";

const withHint = (message: string): string =>
  message.toLowerCase().includes("not a directory") ? `${message}: ${mountHint}` : message;

/** What the caller knows of the process that failed. */
interface Attempt {
  command: string;
  cwd: string;
}

/** The OCI runtime's sentence, without its own decoration. */
export function cleanSentence(stderr: string): string {
  const last = stderr.trim().split("\n").filter(Boolean).at(-1) ?? "";
  const logged = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1]?.replace(/\\(.)/g, "$1");
  return (logged ?? last).replace(/^\S+Z?: (?=error|exec)|^crun: |^runc (create|exec) failed: /g, "");
}

/** crun's sentence as runc would say it. */
function likeRunc(sentence: string, { command, cwd }: Attempt): string {
  const quoted = `exec: ${JSON.stringify(command)}`;
  // crun takes "" for the folder it is in
  if (command === "" || /^executable file .* not found/.test(sentence))
    return command.includes("/")
      ? `${quoted}: stat ${command}: no such file or directory`
      : `${quoted}: executable file not found in $PATH`;
  // crun says EPERM for what is no regular file
  if (/^open executable: Operation not permitted/.test(sentence))
    return `${quoted}: is a directory: permission denied`;
  if (/^(open executable|exec.*): Permission denied/.test(sentence)) return `${quoted}: permission denied`;
  const chdir = /^chdir .*: ([^:]+)$/.exec(sentence)?.[1];
  if (chdir) return `chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed: ${chdir.toLowerCase()}`;
  return lowerReason(sentence);
}

/** C library reasons ("No such file or directory") are lower case in Go. */
const lowerReason = (sentence: string): string =>
  sentence.replace(
    /: ([A-Z])([a-z][a-z -]+)$/,
    (_all, first: string, rest: string) => `: ${first.toLowerCase()}${rest}`,
  );

const alreadyTold = "unable to start container process: ";

function told(stderr: string, attempt: Attempt): string {
  const sentence = cleanSentence(stderr);
  const at = sentence.indexOf(alreadyTold);
  return at >= 0 ? sentence.slice(at + alreadyTold.length) : likeRunc(sentence, attempt);
}

const createFailed =
  "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ";

/** What runc refuses on reading the configuration, before it starts anything; crun finds it later. */
function refusedConfig(sentence: string): string | undefined {
  const rlimit = /invalid rlimit `(\w+)`/.exec(sentence)?.[1];
  if (rlimit) return `wrong rlimit value: ${rlimit}`;
  const sysctl = /the sysctl `(.+)` is not namespaced/.exec(sentence)?.[1];
  return sysctl && `sysctl ${JSON.stringify(sysctl)} is not in a separate kernel namespace`;
}

/** A configuration that is refused before anything is made of it. */
export const configFailure = (reason: string): StartFailure => new StartFailure(createFailed + reason);

export function createFailure(stderr: string, attempt: Attempt): StartFailure {
  const refused = refusedConfig(cleanSentence(stderr));
  if (refused) return configFailure(refused);
  return initFailure(told(stderr, attempt).replace(/^error during container init: /, ""));
}

/** A failure between the container's making and its process. */
export const initFailure = (reason: string): StartFailure =>
  new StartFailure(`${createFailed}${alreadyTold}error during container init: ${reason}`);

/** What runc refuses and crun would take. */
export function checkExecFolder(cwd: string): void {
  if (!cwd.startsWith("/"))
    throw new StartFailure("OCI runtime exec failed: exec failed: Cwd must be an absolute path");
}

export function execFailure(stderr: string, attempt: Attempt): StartFailure {
  return new StartFailure(`OCI runtime exec failed: exec failed: ${alreadyTold}${told(stderr, attempt)}`);
}
