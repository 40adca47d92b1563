import { EngineError, isKind } from "../errors.ts";
import { parsePairs, splitInstruction, stringArray } from "./arguments.ts";
import type { EscapeToken, Heredoc, ParsedDockerfile, ParsedInstruction, Range } from "./ast.ts";
import { DirectiveReader } from "./directives.ts";
import { atPlace, DockerfileError, lineRange } from "./error.ts";
import { heredocMarks } from "./heredoc.ts";
import { continued, isComment, LineReader, withoutLineEnd } from "./lines.ts";

/**
 * Reads a Dockerfile's lines into instructions: directives, comments, continuation lines, flags, heredocs
 * (https://docs.docker.com/reference/dockerfile/). Which instructions there are and what they take is judged later.
 * Errors are `DockerfileError`.
 */
interface ParseOptions {
  /** default true; `--change` of commit and import takes none */
  heredocs?: boolean;
}

/** Bytes of a whole file; one that embeds more belongs into the context. */
const textMax = 4 << 20;
const instructionsMax = 4000;

export function parseDockerfile(text: string, { heredocs = true }: ParseOptions = {}): ParsedDockerfile {
  if (text.length > textMax)
    throw new EngineError("tooLarge", `the Dockerfile is larger than ${textMax} bytes`);
  return new Parser(text, heredocs).parse();
}

class Parser {
  private readonly text: string;
  private readonly takesHeredocs: boolean;
  private readonly lines: LineReader;
  private readonly directives = new DirectiveReader();
  private escape: EscapeToken = "\\";
  private comments: string[] = [];
  private readonly instructions: ParsedInstruction[] = [];
  private readonly emptyContinuations: number[] = [];

  constructor(text: string, takesHeredocs: boolean) {
    this.text = text.replace(/^\ufeff/, "");
    this.takesHeredocs = takesHeredocs;
    this.lines = new LineReader(this.text);
  }

  parse(): ParsedDockerfile {
    for (let line = this.lines.next(); line !== undefined; line = this.lines.next()) this.line(line);
    if (this.instructions.length === 0)
      throw new DockerfileError("file with no instructions", [lineRange(this.lines.number)]);
    return {
      text: this.text,
      instructions: this.instructions,
      escape: this.escape,
      directives: this.directives.found,
      emptyContinuations: this.emptyContinuations,
    };
  }

  private line(raw: string): void {
    const line = withoutLineEnd(raw).trimStart();
    if (this.directives.take(line, this.lines.number)) {
      this.setEscape();
      return;
    }
    if (line.startsWith("#")) {
      const comment = line.slice(1).trim();
      if (comment === "") this.comments = [];
      else this.comments.push(comment);
      return;
    }
    if (line === "") return;
    const start = this.lines.number;
    const text = this.joined(line);
    const column = raw.length - raw.trimStart().length + 1;
    this.add(text, { start: { line: start, column }, end: { line: this.lines.number, column: 0 } });
  }

  private setEscape(): void {
    const last = this.directives.found.at(-1);
    if (last?.name !== "escape") return;
    if (last.value !== "`" && last.value !== "\\")
      throw new DockerfileError(`invalid escape token '${last.value}' does not match \` or \\`);
    this.escape = last.value;
  }

  /** The line together with those that continue it; comments between them go, empty ones are told. */
  private joined(first: string): string {
    const parts: string[] = [];
    let line: string | undefined = first;
    let hasEmpty = false;
    while (line !== undefined) {
      const open = continued(line, this.escape);
      parts.push(open ?? line);
      if (open === undefined) break;
      do {
        const raw = this.lines.next();
        line = raw === undefined ? undefined : withoutLineEnd(raw);
        hasEmpty ||= line?.trim() === "";
      } while (line !== undefined && (isComment(line) || line.trim() === ""));
    }
    if (hasEmpty) this.emptyContinuations.push(this.lines.number);
    return parts.join("");
  }

  private add(text: string, lines: Range): void {
    if (text.trim() === "") return;
    if (this.instructions.length >= instructionsMax)
      throw new EngineError("tooLarge", `the Dockerfile holds more than ${instructionsMax} instructions`);
    const instruction = atPlace([lines], () => this.instruction(text, lines));
    atPlace([lines], () => checkForm(instruction));
    this.instructions.push(instruction);
    this.comments = [];
  }

  private instruction(text: string, lines: Range): ParsedInstruction {
    const instruction = parseInstruction(text, lines, this.escape, this.comments);
    if (!this.takesHeredocs || !text.includes("<<") || !canHoldHeredocs(instruction)) return instruction;
    const heredocs = marksOf(text).map((mark) => this.heredoc(mark, lines));
    const location = { ...lines, end: { line: this.lines.number, column: 0 } };
    return { ...instruction, heredocs, location };
  }

  private heredoc(mark: Omit<Heredoc, "content">, lines: Range): Heredoc {
    const content: string[] = [];
    for (let raw = this.lines.next(); raw !== undefined; raw = this.lines.next()) {
      const line = withoutLineEnd(raw);
      if ((mark.stripTabs ? line.replace(/^\t+/, "") : line) === mark.name)
        return { ...mark, content: content.join("") };
      content.push(raw);
    }
    throw new DockerfileError("unterminated heredoc", [lineRange(lines.start.line, this.lines.number)]);
  }
}

/** What is no list of pairs is told before anything else that is wrong, as BuildKit reads the file twice. */
function checkForm({ name, rest, escape: escapeToken }: ParsedInstruction): void {
  const title = name.toUpperCase();
  if (title === "ENV" || title === "LABEL") parsePairs(title, rest, escapeToken);
}

/** One instruction from its joined line; ONBUILD's trigger likewise, but no trigger's trigger: there may be none. */
function parseInstruction(
  text: string,
  location: Range,
  escapeToken: EscapeToken,
  comments: string[],
): ParsedInstruction {
  const outer = one(text, location, escapeToken, comments);
  if (outer.name.toLowerCase() !== "onbuild" || outer.rest === "") return outer;
  return { ...outer, trigger: one(outer.rest, location, escapeToken, []) };
}

function one(text: string, location: Range, escapeToken: EscapeToken, comments: string[]): ParsedInstruction {
  const split = splitInstruction(text, escapeToken);
  return { ...split, text: text.trim(), heredocs: [], location, comments, escape: escapeToken };
}

function canHoldHeredocs({ name, rest, trigger }: ParsedInstruction): boolean {
  if (trigger) return canHoldHeredocs(trigger);
  return ["add", "copy", "run"].includes(name.toLowerCase()) && stringArray(rest) === undefined;
}

/** A line whose quotes do not close holds none: its own error is told when the instruction is read. */
function marksOf(text: string): Omit<Heredoc, "content">[] {
  try {
    return heredocMarks(text);
  } catch (error) {
    if (isKind(error, "invalid")) return [];
    throw error;
  }
}
