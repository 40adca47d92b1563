/** What an engine refused: its status, and the sentence it gave. */
export class ApiError extends Error {
  readonly status: number;
  readonly sentence: string;
  /** what our own engine knows beyond it, "" = nothing */
  readonly detail: string;

  constructor(status: number, sentence: string, detail = "") {
    super(`Error response from daemon: ${sentence}`);
    this.status = status;
    this.sentence = sentence;
    this.detail = detail;
  }
}

/** Nobody answers at the host's address, or nobody lets us in. */
export class ConnectionError extends Error {}

/** ssh, or the program at its far end, failed; the sentence is docker's. */
export class SshEnded extends Error {
  readonly code: number;
  /** what it said last */
  readonly said: string;

  constructor(command: readonly string[], code: number, said: string) {
    super(
      `command [${command.join(" ")}] has exited with exit status ${code}, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${said}`,
    );
    this.code = code;
    this.said = said.trim();
  }
}

/** The other side went in the middle of an exchange, or what it says is no HTTP any more. */
export class ConnectionBroken extends Error {}

/** Scripts look for these sentences as docker's client writes them. */
export function connectionError(url: string, cause: unknown): ConnectionError {
  const code = (cause as { code?: string } | undefined)?.code;
  const sentence =
    code === "EACCES" || code === "EPERM"
      ? `permission denied while trying to connect to the Docker daemon socket at ${url}`
      : `Cannot connect to the Docker daemon at ${url}. Is the docker daemon running?`;
  return new ConnectionError(sentence, { cause });
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
