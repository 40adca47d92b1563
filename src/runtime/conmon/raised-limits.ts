import { readFileSync } from "node:fs";
import type { Process } from "../../types/runtime-spec.ts";
import { unlimited } from "../spec/json.ts";

/**
 * A runtime that has entered a user namespace can raise no limit and shield nothing from the OOM killer: what it is asked
 * for above the engine's own is set before, by prlimit(1) and choom(1), which become what they are given to run. The
 * process inherits it.
 */
interface Raised {
  /** to put before the command */
  prefix: string[];
  process: Process;
}

export function raiseLimits(process: Process, own: Limits = readLimits()): Raised {
  const raised = (process.rlimits ?? []).flatMap(({ type, hard }) => {
    const name = type.replace(/^RLIMIT_/, "").toLowerCase();
    if (hard <= (own.get(name) ?? unlimited)) return [];
    return [`--${name}=:${hard >= unlimited ? "unlimited" : hard}`];
  });
  const { oomScoreAdj, ...rest } = process;
  const shields = oomScoreAdj !== undefined && oomScoreAdj < own.oomScore;
  return {
    prefix: [
      ...(raised.length > 0 ? ["prlimit", ...raised, "--"] : []),
      ...(shields ? ["choom", "-n", String(oomScoreAdj), "--"] : []),
    ],
    process: shields ? rest : process,
  };
}

/** Hard limits by the names of `--ulimit`; what is missing is unlimited. */
export class Limits extends Map<string, number> {
  oomScore = 0;
}

/** names of /proc/<pid>/limits, proc(5) */
const kernelNames: Readonly<Record<string, string>> = {
  "Max cpu time": "cpu",
  "Max file size": "fsize",
  "Max data size": "data",
  "Max stack size": "stack",
  "Max core file size": "core",
  "Max resident set": "rss",
  "Max processes": "nproc",
  "Max open files": "nofile",
  "Max locked memory": "memlock",
  "Max address space": "as",
  "Max file locks": "locks",
  "Max pending signals": "sigpending",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
};

function readLimits(): Limits {
  const limits = new Limits();
  for (const line of readFileSync("/proc/self/limits", "utf8").split("\n")) {
    const name = kernelNames[line.slice(0, 26).trim()];
    const hard = line.slice(47, 68).trim();
    if (name !== undefined && /^\d+$/.test(hard)) limits.set(name, Number(hard));
  }
  limits.oomScore = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
  return limits;
}
