import { type Command, usageLine } from "../command.ts";
import { type CliError, UnknownCommand } from "../errors.ts";
import { breakLine, describeFlags } from "../flags/help.ts";
import { programName } from "../program.ts";
import type { Session } from "../session.ts";
import { commonCommands, groups, shortForms } from "./commands-table.ts";
import { globalFlags } from "./globals.ts";
import { commands, findCommand, findIn, roles, spellings } from "./tree.ts";

const width = ({ around }: Session): number => (around.terminal(1)?.columns ?? 80) - 1;

/** Prints the help of the program, of a group or of a command, by the words that name it. */
export async function help(words: readonly string[], session: Session, stream: 1 | 2): Promise<number> {
  session.around.write(stream, `${await helpText(words, session)}\n`);
  return 0;
}

async function helpText(words: readonly string[], session: Session): Promise<string> {
  const [first, next] = words;
  const isNested = Object.hasOwn(groups, `${first} ${next}`);
  const [word, second] = isNested ? [`${first} ${next}`, words[2]] : words;
  if (word === undefined) return rootHelp(await pluginRows(session), session);
  const group = Object.hasOwn(groups, word) ? groups[word] : undefined;
  if (group) {
    if (second === undefined) return groupHelp(word);
    const found = findIn(group.children(), second);
    if (!found) throw unknownTopic(second, Object.keys(group.children()));
    return commandHelp(
      `${word} ${found.name}`,
      found.leaf.summary,
      (await found.leaf.load()).command,
      spellings(word, found.name),
      width(session),
    );
  }
  const leaf = findCommand(word);
  if (!leaf) throw unknownTopic(word);
  const place = shortForms[word];
  return commandHelp(
    word,
    leaf.summary,
    (await leaf.load()).command,
    place ? spellings(place[0], place[1]) : [],
    width(session),
  );
}

export const unknownCommand = (word: string): CliError =>
  new UnknownCommand(
    `${programName}: unknown command: ${programName} ${word}\n\nRun '${programName} --help' for more information`,
    { word, known: shownCommands },
  );

/** A word that `help` was asked about: the first one, or one behind a group's. */
export const unknownTopic = (word: string, known = shownCommands()): CliError =>
  new UnknownCommand(`unknown help topic: ${word}`, { word, known: () => known });

/** First words that the help names. */
const shownCommands = (): string[] => [
  ...Object.entries(commands()).flatMap(([name, { hidden }]) => (hidden ? [] : [name])),
  ...Object.entries(groups).flatMap(([name, { hidden }]) => (hidden ? [] : [name])),
  ...Object.keys(roles),
];

function commandHelp(
  path: string,
  summary: string,
  command: Command,
  names: string[],
  columns: number,
): string {
  const description = (command.description ?? summary)
    .split("\n")
    .flatMap((line) => breakLine(line, columns))
    .join("\n");
  const parts = [`Usage:  ${usageLine(`${programName} ${path}`, command)}`, description];
  if (names.length > 1) parts.push(`Aliases:\n  ${names.map((name) => `${programName} ${name}`).join(", ")}`);
  const flags = describeFlags(command.flags, columns);
  if (flags) parts.push(`Options:\n${flags}`);
  return parts.join("\n\n");
}

const table = (rows: [string, string][]): string => {
  const column = Math.max(11, ...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(column)} ${summary}`).join("\n");
};

function groupHelp(name: string): string {
  const group = groups[name];
  const rows = Object.entries(group?.children() ?? {})
    .filter(([, leaf]) => !leaf.hidden)
    .map(([child, leaf]): [string, string] => [child, leaf.summary]);
  const path = `${programName} ${name}`;
  return [
    `Usage:  ${path} COMMAND`,
    group?.summary ?? "",
    `Commands:\n${table(rows)}`,
    `Run '${path} COMMAND --help' for more information on a command.`,
  ].join("\n\n");
}

async function pluginRows(session: Session): Promise<[string, string][]> {
  const { describePlugins } = await import("../plugins/describe.ts");
  const { plugins } = await describePlugins(session);
  const own = (name: string): boolean => Object.hasOwn(groups, name) || findCommand(name) !== undefined;
  return plugins
    .filter(({ Name }) => !own(Name))
    .map(({ Name, ShortDescription }) => [`${Name}*`, ShortDescription ?? ""]);
}

function rootHelp(plugins: [string, string][], session: Session): string {
  const top = commands();
  const row = (name: string): [string, string] => [name, top[name]?.summary ?? ""];
  const others = Object.keys(top).filter((name) => !commonCommands.includes(name) && !top[name]?.hidden);
  return [
    `Usage:  ${programName} [OPTIONS] COMMAND`,
    "A container engine in one executable",
    `Common Commands:\n${table(commonCommands.map(row))}`,
    `Management Commands:\n${table(
      Object.entries(groups)
        .filter(([, group]) => !group.hidden)
        .map(([name, group]): [string, string] => [name, group.summary])
        .concat(plugins)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )}`,
    `Commands:\n${table([...others.sort().map(row), ...Object.entries(roles)].sort(([a], [b]) => (a < b ? -1 : 1)))}`,
    `Global Options:\n${describeFlags(globalFlags(session.around), width(session))}`,
    `Run '${programName} COMMAND --help' for more information on a command.`,
  ].join("\n\n");
}
