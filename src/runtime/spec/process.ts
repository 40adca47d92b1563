import type { Process } from "../../types/runtime-spec.ts";
import { capabilitySets } from "./capabilities.ts";
import type { ProcessInput } from "./input.ts";
import { unlimited } from "./json.ts";
import { initTarget } from "./paths.ts";

/** The process of a container or an exec (which has no init of its own). */
export function buildProcess(input: ProcessInput, underInit = false): Process {
  const { terminal, consoleSize, args, env, cwd, user, capabilities, rlimits, apparmorProfile } = input;
  return {
    terminal,
    ...(consoleSize ? { consoleSize: { ...consoleSize } } : {}),
    user: { ...user },
    args: underInit ? [initTarget, "--", ...args] : [...args],
    env: [...env],
    cwd,
    capabilities: capabilitySets(capabilities, user.uid),
    ...(rlimits.length > 0
      ? { rlimits: rlimits.map(({ name, soft, hard }) => rlimit(name, soft, hard)) }
      : {}),
    noNewPrivileges: input.noNewPrivileges,
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(input.oomScoreAdj === undefined ? {} : { oomScoreAdj: input.oomScoreAdj }),
  };
}

/**
 * The score to ask for: where the engine is sheltered from the OOM killer, its children must not be. To ask for no more than
 * they have already may take a right that is missing, so then nothing is asked.
 */
export const oomScore = (asked: number, own: number): Pick<ProcessInput, "oomScoreAdj"> =>
  asked !== 0 || own < 0 ? { oomScoreAdj: asked } : {};

const limit = (value: number): number => (value < 0 ? unlimited : value);

const rlimit = (name: string, soft: number, hard: number) => ({
  type: `RLIMIT_${name.toUpperCase()}`,
  soft: limit(soft),
  hard: limit(hard),
});
