import type { Command, CommandLine, Healthcheck, Instruction } from "../../../lib/dockerfile/instruction.ts";
import { formatGoDuration } from "../../../lib/go/duration.ts";
import { goQuote, goQuoteList, goQuoteRune } from "../../../lib/go/quote.ts";
import type { HealthConfig } from "../../../types/oci.ts";
import { classicHealth } from "../classic-history.ts";
import type { StageState } from "../state.ts";

/** CMD, ENTRYPOINT and HEALTHCHECK: the last of a stage counts. */
export function applyCommand(state: StageState, instruction: Command): void {
  tellRepeated(state, instruction);
  const { kind, command, source } = instruction;
  if (command.shell && (state.config.Shell ?? []).length === 0)
    state.report("JSONArgsRecommended", instruction, source.name);
  const words = throughShell(state, command);
  if (kind === "cmd")
    state.config = { ...state.config, Cmd: words, ...(state.isClassic ? {} : { ArgsEscaped: true }) };
  else {
    const { Cmd, ...others } = state.config;
    const keepsCmd = state.last.has("cmd") && Cmd !== undefined;
    const entrypoint = words.length === 0 ? null : words;
    state.config = { ...others, ...(keepsCmd ? { Cmd } : {}), Entrypoint: entrypoint };
  }
  state.commit(`${kind.toUpperCase()} ${goQuoteList(words)}`);
}

export function applyHealthcheck(state: StageState, instruction: Healthcheck): void {
  tellRepeated(state, instruction);
  state.config = { ...state.config, Healthcheck: instruction.health };
  const { health } = instruction;
  state.commit(`HEALTHCHECK ${printed(health)}`, ` HEALTHCHECK ${classicHealth(health)}`);
}

const defaultShell = ["/bin/sh", "-c"];

/** A command line's words, those in shell form behind the shell. */
export function throughShell({ config }: StageState, { words, shell }: CommandLine): string[] {
  if (!shell) return words;
  return [...((config.Shell ?? []).length > 0 ? (config.Shell ?? []) : defaultShell), words.join(" ")];
}

/** The one before is told: it is the one without effect. */
function tellRepeated(state: StageState, instruction: Instruction): void {
  const before = state.last.get(instruction.kind);
  if (before) state.report("MultipleInstructionsDisallowed", before, instruction.source.name);
  state.last.set(instruction.kind, instruction);
}

/** As Go prints the structure with `%q`. */
function printed({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries }: HealthConfig): string {
  const durations = [Interval, Timeout, StartPeriod, StartInterval].map((ns) =>
    goQuote(formatGoDuration(ns ?? 0)),
  );
  return `&{${[goQuoteList(Test ?? []), ...durations, goQuoteRune(Retries ?? 0)].join(" ")}}`;
}
