import type { BuildPlan } from "../dockerfile/stages/plan.ts";
import type { Stage } from "../dockerfile/stages/stage.ts";

const proxies: readonly string[] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/** Build arguments that nothing took: neither an ARG of the stages that were built nor one before the first FROM. */
export function unconsumedArgs(
  { globalArgs }: BuildPlan,
  stages: readonly Stage[],
  given: ReadonlyMap<string, string>,
): string[] {
  const taken = new Set(globalArgs.declared.keys());
  for (const { instructions } of stages)
    for (const instruction of instructions)
      if (instruction.kind === "arg") for (const { key } of instruction.args) taken.add(key);
  return [...given.keys()].filter((key) => !taken.has(key) && !proxies.includes(key.toLowerCase())).sort();
}
