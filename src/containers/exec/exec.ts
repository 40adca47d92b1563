import type { ExecCreateRequest } from "../../types/api.ts";

/** A command to run in a container; kept in memory until the container goes. */
export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly request: Required<
    Pick<ExecCreateRequest, "AttachStdin" | "AttachStdout" | "AttachStderr" | "Tty" | "Privileged">
  > & {
    readonly user: string;
    readonly workingDir: string;
    readonly env: readonly string[];
    readonly command: readonly [string, ...string[]];
    readonly detachKeys: string;
    readonly consoleSize: [number, number] | undefined;
    /** also where the container does not run */
    readonly stopped: boolean;
  };
  /** created → running → ended; it runs once */
  status: "created" | "running" | "ended";
  exitCode: number | null;
  pid: number;
  /** settled once its process is there, or has failed to start; never rejects */
  starting?: Promise<unknown>;
  /** it runs in a stopped container, as a process of its own */
  visiting?: boolean;
}
