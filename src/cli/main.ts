import { type Command, checkArity, usageLine } from "./command.ts";
import { CliError, detailIn, type Mistaken, mistakenIn, UnknownCommand } from "./errors.ts";
import type { FlagTable } from "./flags/flag.ts";
import { FlagError, parseFlags } from "./flags/parse.ts";
import { type Group, groups } from "./grammar/commands-table.ts";
import { type GlobalValues, globalDefaults, globalFlags } from "./grammar/globals.ts";
import { findCommand, findIn } from "./grammar/tree.ts";
import { clientVersion, programName } from "./program.ts";
import { Session } from "./session.ts";
import { ofProcess, type Surroundings } from "./surroundings.ts";

const flagErrorCode = 125;

/** The client: runs one command line (without the program's own name) and answers its exit code. */
export async function main(argv: readonly string[], around: Surroundings = ofProcess): Promise<number> {
  try {
    return (await dispatch(argv, around)) ?? 0;
  } catch (error) {
    around.failed?.(error);
    const sentence = error instanceof Error ? error.message : String(error);
    if (sentence) around.write(2, `${sentence}\n`);
    await tellMore(error, around);
    if (around.variable("BERTH_TRACE")) around.write(2, `${(error as Error).stack}\n`);
    return error instanceof CliError ? error.code : 1;
  }
}

/** Scripts read docker's words alone; a person at a terminal is told more. */
async function tellMore(error: unknown, around: Surroundings): Promise<void> {
  if (!around.terminal(2)) return;
  const mistaken = mistakenIn(error);
  const detail = mistaken ? await suggestion(mistaken) : detailIn(error);
  if (detail !== "") around.write(2, `(${detail})\n`);
}

/** Nobody mistypes the first letter, and much is near to a short word. */
async function suggestion({ word, known }: Mistaken): Promise<string> {
  const { nearest } = await import("../lib/text/suggest.ts");
  const start = /^-*./.exec(word)?.[0] ?? "";
  const near = nearest(
    word,
    known().filter((each) => each.startsWith(start)),
  );
  return near === undefined ? "" : `did you mean ${near}?`;
}

async function dispatch(argv: readonly string[], around: Surroundings): Promise<number | undefined> {
  const { globals, args, help } = argv[0]?.startsWith("-")
    ? parseGlobals(argv, around)
    : withoutOptions(argv, around);
  const [word, ...rest] = args;
  if (globals.version) {
    around.write(1, `Docker version ${clientVersion}, build ${programName}\n`);
    return 0;
  }
  const session = new Session(globals, around);
  if (word === undefined) return showHelp([], session, help ? 1 : 2);
  if (help) return showHelp(args, session);
  if (word === "help")
    return isKnown(rest[0]) ? showHelp(rest, session) : plugin(session, rest[0] ?? "", argv, true);
  if (word === "exec" || (word === "container" && rest[0] === "exec")) session.connectEarly();
  return route(session, word, rest, argv);
}

interface Start {
  globals: GlobalValues;
  args: readonly string[];
  help: boolean;
}

/** Most command lines begin with the command: the table of options is not even made for them. */
const withoutOptions = (argv: readonly string[], around: Surroundings): Start => ({
  globals: globalDefaults(around),
  args: argv,
  help: false,
});

function parseGlobals(argv: readonly string[], around: Surroundings): Start {
  const { values, args, help, notices } = orUsage(
    programName,
    `${programName} [OPTIONS] COMMAND [ARG...]`,
    () => parseFlags(globalFlags(around), argv, false, around),
  );
  for (const notice of notices) around.write(2, `${notice}\n`);
  if (!logLevels.includes(String(values.logLevel)))
    throw new CliError(`Unable to parse logging level: ${String(values.logLevel)}`);
  return { globals: values as GlobalValues, args, help };
}

const logLevels = ["panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"];

/** The help of the whole program lists plugins, too. What was not asked for goes to stderr, the second stream. */
async function showHelp(words: readonly string[], session: Session, stream: 1 | 2 = 1): Promise<number> {
  session.around.needsProcess("help");
  const { help } = await import("./grammar/help.ts");
  return help(words, session, stream);
}

const isKnown = (word: string | undefined): boolean =>
  word === undefined || Object.hasOwn(groups, word) || findCommand(word) !== undefined;

/** `argv` is the whole command line, for a plugin. */
function route(
  session: Session,
  word: string,
  rest: string[],
  argv: readonly string[],
): Promise<number | undefined> {
  const group = Object.hasOwn(groups, word) ? groups[word] : undefined;
  const history = groups["build history"];
  if (history && isHistory(word, rest))
    return routeInGroup(session, "build history", history.children(), rest.slice(1));
  if (group?.plugin && !hasOwnCommand(group, rest[0])) return plugin(session, word, argv);
  if (group) return routeInGroup(session, word, group.children(), rest);
  const found = findCommand(word);
  if (found) return runCommand(session, `${programName} ${word}`, found.load, rest);
  return plugin(session, word, argv);
}

/** `build history ls`, told from a build of a folder called `history`: that is followed by options alone. */
const isHistory = (word: string, [first, second]: readonly string[]): boolean =>
  first === "history" &&
  (word === "builder" || (word === "build" && second !== undefined && /^(?:\w|--help$|-h$)/.test(second)));

const hasOwnCommand = ({ children }: Group, word: string | undefined): boolean =>
  word !== undefined && findIn(children(), word) !== undefined;

async function plugin(
  session: Session,
  word: string,
  argv: readonly string[],
  isTopic = false,
): Promise<number> {
  const { runPlugin } = await import("./plugins/run.ts");
  return runPlugin(session, word, argv, isTopic);
}

/** Of all groups these alone are told to have commands where one of theirs is not known. */
const shownAsGroup: ReadonlySet<string> = new Set(["volume", "manifest"]);

async function routeInGroup(
  session: Session,
  name: string,
  children: Parameters<typeof findIn>[0],
  rest: string[],
): Promise<number | undefined> {
  const path = `${programName} ${name}`;
  const [word, ...args] = rest;
  if (word === undefined || word === "--help" || word === "-h")
    return showHelp([name], session, word === undefined ? 2 : 1);
  if (word.startsWith("-"))
    orUsage(path, `${path} COMMAND`, () => parseFlags({}, [word], false, session.around));
  const found = findIn(children, word);
  if (!found) {
    throw new UnknownCommand(
      `${programName}: unknown command: ${path} ${word}\n\nUsage:  ${path}${shownAsGroup.has(name) ? " COMMAND" : ""}\n\nRun '${path} --help' for more information`,
      { word, known: () => Object.keys(children) },
    );
  }
  return runCommand(session, `${path} ${found.name}`, found.leaf.load, args);
}

async function runCommand(
  session: Session,
  path: string,
  load: () => Promise<{ command: Command }>,
  argv: string[],
): Promise<number | undefined> {
  const { command } = await load();
  if (!command.hosted) session.around.needsProcess(path);
  const parsed = orUsage(path, usageLine(path, command), () =>
    parseFlags(command.flags, argv, command.interspersed, session.around),
  );
  // on stdout, where docker has them
  for (const notice of parsed.notices) session.out(notice);
  if (parsed.help) return showHelp(path.split(" ").slice(1), session);
  checkArity(path, command, parsed.args.length);
  const { args, values, changed } = parsed;
  return command.run({
    session,
    args,
    flags: values as FlagTable as never,
    changed: (key) => changed.has(key),
    path,
  });
}

/** A flag error is followed by the command's usage and ends with 125, whatever the command. */
function orUsage<T>(path: string, usage: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new CliError(
      `${error.message}\n\nUsage:  ${usage}\n\nRun '${path} --help' for more information`,
      flagErrorCode,
      { cause: error },
    );
  }
}
