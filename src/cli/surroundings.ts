import type { HttpRequest, HttpResponse } from "../client/http.ts";
import { readText, terminalSize } from "../client/kernel.ts";
import type { ConfigFile } from "./config-types.ts";
import { writeNow } from "./stdio.ts";

export interface WindowSize {
  rows: number;
  columns: number;
}

/**
 * What a command line finds around it. Mostly that is its own process; a command that runs inside the engine has what its
 * caller sent (`hosted/`), and whatever else it reaches for ends it before it has changed anything.
 */
export interface Surroundings {
  /** of the environment */
  variable(name: string): string | undefined;
  /** the working directory */
  folder(): string;
  /** the terminal that a descriptor is; `undefined` for what is none, or is closed */
  terminal(fd: 0 | 1 | 2): WindowSize | undefined;
  /** all of it, before it returns */
  write(fd: 1 | 2, data: string | Uint8Array): void;
  /** a small file; `undefined` where there is none */
  readText(path: string): string | undefined;
  /** Says that what follows is for a process of one's own (`what`, for the log): returns in one, throws elsewhere. */
  needsProcess(what: string): void;
  /** in place of the configuration file */
  readonly config?: ConfigFile;
  /** in place of a connection to the engine */
  readonly exchange?: (request: HttpRequest, signal?: AbortSignal) => Promise<HttpResponse>;
  /** is told of the error that ends the command */
  failed?(error: unknown): void;
}

export const ofProcess: Surroundings = {
  variable: (name) => process.env[name],
  folder: () => process.cwd(),
  terminal: terminalSize,
  write: writeNow,
  readText,
  needsProcess: () => undefined,
};
