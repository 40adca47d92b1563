import { EngineError } from "../errors.ts";
import type { ParsedInstruction } from "./ast.ts";
import { Flags } from "./flags.ts";
import { heredocText, parseHeredocMark } from "./heredoc.ts";
import type { Add, Copy, InlineFile } from "./instruction.ts";

/** COPY and ADD. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

const copyFlags = {
  chown: "text",
  from: "text",
  chmod: "text",
  link: "flag",
  parents: "flag",
  exclude: "texts",
} as const;

const addFlags = {
  chown: "text",
  chmod: "text",
  link: "flag",
  "keep-git-dir": "flag",
  checksum: "text",
  unpack: "flag",
  exclude: "texts",
} as const;

export function decodeCopy(source: ParsedInstruction, words: string[]): Copy {
  needsDestination("COPY", words);
  const flags = new Flags(source.flags, copyFlags);
  return {
    kind: "copy",
    source,
    ...files("COPY", source, words),
    ...owners(flags),
    from: flags.text("from"),
    parents: flags.flag("parents") ?? false,
  };
}

export function decodeAdd(source: ParsedInstruction, words: string[]): Add {
  needsDestination("ADD", words);
  const flags = new Flags(source.flags, addFlags);
  return {
    kind: "add",
    source,
    ...files("ADD", source, words),
    ...owners(flags),
    parents: false,
    checksum: flags.text("checksum"),
    keepGitDir: flags.flag("keep-git-dir"),
    unpack: flags.flag("unpack"),
  };
}

function needsDestination(name: string, words: string[]): void {
  if (words.length < 2)
    throw invalid(
      `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
}

const owners = (flags: Flags) => ({
  chown: flags.text("chown"),
  chmod: flags.text("chmod"),
  link: flags.flag("link") ?? false,
  exclude: flags.texts("exclude"),
});

function files(
  name: string,
  source: ParsedInstruction,
  words: string[],
): { sources: string[]; destination: string; inlines: InlineFile[] } {
  const destination = words.at(-1) ?? "";
  if (parseHeredocMark(destination)) throw invalid(`${name} cannot accept a heredoc as a destination`);
  const sources: string[] = [];
  const inlines: InlineFile[] = [];
  for (const word of words.slice(0, -1)) {
    const mark = parseHeredocMark(word);
    const heredoc = mark && source.heredocs.find((each) => each.name === mark.name);
    if (!mark) sources.push(word);
    else
      inlines.push({
        name: mark.name,
        expand: mark.expand,
        content: heredoc ? heredocText({ ...heredoc, stripTabs: mark.stripTabs }) : "",
      });
  }
  return { sources, destination, inlines };
}
