import { CliError } from "./errors.ts";
import type { FlagTable, FlagValues } from "./flags/flag.ts";
import { programName } from "./program.ts";
import type { Session } from "./session.ts";

/** How many arguments a command takes; `max` of Infinity takes any number. */
interface Arity {
  min: number;
  max: number;
}

export const none: Arity = { min: 0, max: 0 };
export const any: Arity = { min: 0, max: Number.POSITIVE_INFINITY };
export const exactly = (count: number): Arity => ({ min: count, max: count });
export const atLeast = (min: number): Arity => ({ min, max: Number.POSITIVE_INFINITY });
export const atMost = (max: number): Arity => ({ min: 0, max });
export const between = (min: number, max: number): Arity => ({ min, max });

interface Invocation<F> {
  session: Session;
  args: string[];
  flags: FlagValues<F>;
  /** whether the flag was given, by its key */
  changed: (key: keyof F & string) => boolean;
  /** the words that led here, e.g. `berth container ls` */
  path: string;
}

export interface Command {
  /** arguments after the command's name, as shown in usage, without `[OPTIONS]` */
  usage: string;
  /** longer text for `--help`; the tree's summary otherwise */
  description?: string;
  /** docker leaves `[OPTIONS]` out of a few usage lines */
  usageWithoutOptions?: boolean;
  arity: Arity;
  flags: FlagTable;
  /** false when options end at the first argument */
  interspersed: boolean;
  /** It may run inside the engine: all that it reads and writes goes by its session (hosted/README.md). */
  hosted?: boolean;
  /** The words that usage errors name it by, told as buildx tells errors: it is a plugin of docker's. */
  toldAs?: string;
  /** other full spellings, for `--help` */
  aliases?: string[];
  run: (invocation: Invocation<FlagTable>) => Promise<number | undefined>;
}

interface CommandDefinition<F extends FlagTable> {
  usage: string;
  description?: string;
  usageWithoutOptions?: boolean;
  arity: Arity;
  flags: F;
  interspersed?: boolean;
  hosted?: boolean;
  toldAs?: string;
  run: (invocation: Invocation<F>) => Promise<number | undefined>;
}

/** Gives a command's `run` the types of its own flags. */
export const defineCommand = <F extends FlagTable>(definition: CommandDefinition<F>): Command => ({
  interspersed: true,
  ...definition,
  run: (invocation) => definition.run(invocation as unknown as Invocation<F>),
});

export const usageLine = (path: string, command: Command): string => {
  const options =
    !command.usageWithoutOptions && Object.values(command.flags).some((flag) => !flag.hidden)
      ? " [OPTIONS]"
      : "";
  const start = `${path}${options}`;
  return command.usage ? `${start} ${command.usage.replaceAll("{path}", start)}` : start;
};

const arguments_ = (count: number): string => `${count} argument${count === 1 ? "" : "s"}`;

/** Wrong number of arguments: exit code 1, in docker's words. */
export function checkArity(words: string, command: Command, count: number): void {
  const { min, max } = command.arity;
  if (count >= min && count <= max) return;
  const [wanted, see] = expectation(command.arity);
  const { toldAs } = command;
  const path = toldAs === undefined ? words : `${programName} ${toldAs}`;
  throw new CliError(
    `${toldAs === undefined ? "" : "ERROR: "}${programName}: '${path}' ${wanted}\n\nUsage:  ${usageLine(path, command)}\n\n${see} '${path} --help' for more information`,
  );
}

function expectation({ min, max }: Arity): [string, "Run" | "See"] {
  if (max === 0) return ["accepts no arguments", "Run"];
  if (min === max) return [`requires ${arguments_(min)}`, "Run"];
  if (max === Number.POSITIVE_INFINITY) return [`requires at least ${arguments_(min)}`, "See"];
  if (min === 0) return [`requires at most ${arguments_(max)}`, "Run"];
  return [`requires at least ${min} and at most ${arguments_(max)}`, "Run"];
}
