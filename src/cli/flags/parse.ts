import type { Mistaken } from "../errors.ts";
import type { Surroundings } from "../surroundings.ts";
import { type Flag, type FlagTable, longName, shortName } from "./flag.ts";

/** The command line does not fit the command's options; printed with the command's usage, exit code 125. */
export class FlagError extends Error {
  readonly mistaken: Mistaken | undefined;

  constructor(sentence: string, mistaken?: Mistaken) {
    super(sentence);
    this.mistaken = mistaken;
  }
}

interface ParsedFlags {
  values: Record<string, unknown>;
  /** keys of the table whose flag was given */
  changed: ReadonlySet<string>;
  args: string[];
  help: boolean;
  /** sentences about flags that should not be used any more */
  notices: string[];
}

interface State {
  table: FlagTable;
  around: Surroundings;
  parsed: ParsedFlags & { changed: Set<string> };
}

/**
 * Parses as pflag does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, combined short booleans,
 * `--` ending the options. Without `interspersed` the first argument ends them too.
 */
export function parseFlags(
  table: FlagTable,
  argv: readonly string[],
  interspersed: boolean,
  around: Surroundings,
): ParsedFlags {
  const state = start(table, around);
  const { args } = state.parsed;
  const rest = [...argv];
  while (rest.length > 0 && !state.parsed.help) {
    const word = rest.shift() ?? "";
    if (word === "--") {
      args.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      long(state, word, rest);
    } else if (word.startsWith("-") && word.length > 1) {
      shorts(state, word, rest);
    } else {
      args.push(word);
      if (!interspersed) args.push(...rest.splice(0));
    }
  }
  return state.parsed;
}

function start(table: FlagTable, around: Surroundings): State {
  const values: Record<string, unknown> = {};
  for (const key in table) {
    const flag = table[key];
    values[key] = flag?.initial;
    if (flag?.variable !== undefined) values[key] = around.variable(flag.variable) ?? flag.initial;
  }
  return { table, around, parsed: { values, changed: new Set(), args: [], help: false, notices: [] } };
}

/*
 * Flags are looked for one by one, as a command line has a few and a table a hundred, and by what is built in: a function of
 * ours called for each would be compiled.
 */

function keyOfLong(table: FlagTable, name: string): string | undefined {
  if (name.includes(",")) return undefined;
  const start = `${name},`;
  for (const key in table) {
    const names = table[key]?.names;
    if (names === name || names?.startsWith(start)) return key;
  }
  return undefined;
}

function keyOfShort(table: FlagTable, letter: string): string | undefined {
  const end = `,${letter}`;
  for (const key in table) if (table[key]?.names.endsWith(end)) return key;
  return undefined;
}

function long(state: State, word: string, rest: string[]): undefined {
  const body = word.slice(2);
  if (body.startsWith("-") || body.startsWith("=")) throw new FlagError(`bad flag syntax: ${word}`);
  const at = body.indexOf("=");
  const name = at < 0 ? body : body.slice(0, at);
  const key = keyOfLong(state.table, name);
  const flag = key === undefined ? undefined : state.table[key];
  if (key === undefined || !flag) {
    if (name === "help") return askHelp(state);
    throw new FlagError(`unknown flag: --${name}`, {
      word: `--${name}`,
      known: () => Object.values(state.table).flatMap((each) => (each.hidden ? [] : [`--${longName(each)}`])),
    });
  }
  if (at >= 0) return set(state, key, flag, body.slice(at + 1));
  if (flag.bare !== undefined) return set(state, key, flag, flag.bare);
  const value = rest.shift();
  if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
  set(state, key, flag, value);
}

function shorts(state: State, word: string, rest: string[]): undefined {
  let letters = word.slice(1);
  while (letters.length > 0 && !state.parsed.help) {
    const letter = letters.slice(0, 1);
    const after = letters.slice(1);
    const key = keyOfShort(state.table, letter);
    const flag = key === undefined ? undefined : state.table[key];
    if (key === undefined || !flag) {
      if (letter !== "h") throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
      state.parsed.notices.push("Flag shorthand -h has been deprecated, use --help");
      return askHelp(state);
    }
    if (after.startsWith("=")) return set(state, key, flag, after.slice(1));
    if (flag.bare === undefined) {
      const value = after || rest.shift();
      if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
      return set(state, key, flag, value);
    }
    set(state, key, flag, flag.bare);
    letters = after;
  }
}

const askHelp = (state: State): undefined => {
  state.parsed.help = true;
};

function set(state: State, key: string, flag: Flag<unknown>, text: string): undefined {
  const { values, changed, notices } = state.parsed;
  try {
    values[key] = flag.parse(values[key], text, state.around);
  } catch (error) {
    const short = shortName(flag);
    const shown = short ? `-${short}, --${longName(flag)}` : `--${longName(flag)}`;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FlagError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${reason}`);
  }
  changed.add(key);
  if (flag.deprecated) notices.push(`Flag --${longName(flag)} has been deprecated, ${flag.deprecated}`);
}
