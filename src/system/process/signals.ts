import { closeSync, readFileSync } from "node:fs";
import { bindLibc, check, SystemError } from "../libc.ts";

/** Signals by pidfd: a number that is given to another process meanwhile can never be hit. pidfd_open(2), Linux 5.3. */
const libc = bindLibc({
  syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: "i32" },
});

// the numbers are the same on every architecture (syscalls after 424)
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;

/** A descriptor of a process; undefined when there is none of that number. Close it with `closePidfd`. */
export function openPidfd(pid: number): number | undefined {
  try {
    return check(libc.syscall(SYS_pidfd_open, pid, 0, 0, 0), `pidfd_open ${pid}`);
  } catch (error) {
    if (error instanceof SystemError && (error.code === "ESRCH" || error.code === "EINVAL")) return undefined;
    throw error;
  }
}

/** False when the process is gone. */
export function signalPidfd(pidfd: number, signal: number): boolean {
  try {
    check(libc.syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0), `signal ${signal}`);
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === "ESRCH") return false;
    throw error;
  }
}

export const closePidfd = (pidfd: number): void => closeSync(pidfd);

/** Signals a process by number; false when there is none. */
export function signalPid(pid: number, signal: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return false;
    throw error;
  }
}

interface ProcessStat {
  /** R, S, D, T, Z, X … as proc(5) has them */
  state: string;
  parent: number;
}

/** State and parent from /proc/<pid>/stat; undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // the name in parentheses may hold anything, parentheses too
    const [state = "X", parent = "0"] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** Whether the process still runs: a zombie does not. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X";
}
