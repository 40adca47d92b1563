import type { BuildOutline } from "../contract.ts";
import { neededStages, type Survey } from "./survey.ts";

/** `--call outline`: the arguments, secrets and agents that a target takes, in the file's order. */
export function outlineOf(survey: Survey): BuildOutline {
  const { target } = survey.plan;
  const args = new Map<string, BuildOutline["args"][number]>();
  const secrets = new Map<string, BuildOutline["secrets"][number]>();
  const ssh = new Map<string, BuildOutline["ssh"][number]>();
  for (const { end } of neededStages(survey)) {
    for (const name of closure(survey, end.usage.usedArgs)) {
      const arg = end.usage.args.get(name);
      if (arg && !args.has(name)) args.set(name, { name, ...arg });
    }
    for (const [name, secret] of end.usage.secrets)
      if (!secrets.has(name)) secrets.set(name, { name, ...secret });
    for (const [name, agent] of end.usage.ssh) if (!ssh.has(name)) ssh.set(name, { name, ...agent });
  }
  return {
    name: target.name ?? "",
    description: target.description,
    args: byLine(args.values()),
    secrets: byLine(secrets.values()),
    ssh: byLine(ssh.values()),
  };
}

const byLine = <T extends { line: number }>(items: Iterable<T>): T[] =>
  [...items].sort((one, other) => one.line - other.line);

/** Global arguments that another one's default names are used with it. */
function closure({ plan }: Survey, used: ReadonlySet<string>): Set<string> {
  const all = new Set(used);
  for (const name of all) for (const next of plan.globalArgs.declared.get(name)?.uses ?? []) all.add(next);
  return all;
}
