/**
 * A Dockerfile as written: instructions with flags, argument text, heredocs and where they stand. Nothing is expanded
 * and no argument is judged yet; `instruction.ts` makes typed values of these.
 */
interface Position {
  /** 1-based */
  line: number;
  /** 1-based, in characters; 0 = the whole line */
  column: number;
}

/** Lines of one instruction, both ends included. */
export interface Range {
  start: Position;
  end: Position;
}

export interface Heredoc {
  /** the word after `<<`, quotes taken off */
  name: string;
  content: string;
  /** no part of the word is quoted, so variables in the content are expanded */
  expand: boolean;
  /** `<<-`: leading tabs of each line go */
  stripTabs: boolean;
}

export interface ParsedInstruction {
  /** as written: "FROM", "run" */
  name: string;
  /** `--name=value` …, quotes taken off */
  flags: string[];
  /** what follows name and flags, trimmed, lines joined */
  rest: string;
  /** the whole instruction, lines joined, without heredocs */
  text: string;
  heredocs: Heredoc[];
  location: Range;
  /** the comment lines right above, without `#` */
  comments: string[];
  /** what ONBUILD triggers */
  trigger?: ParsedInstruction;
  escape: EscapeToken;
}

export type EscapeToken = "\\" | "`";

export interface Directive {
  name: "syntax" | "escape" | "check";
  value: string;
  line: number;
}

export interface ParsedDockerfile {
  text: string;
  instructions: ParsedInstruction[];
  escape: EscapeToken;
  directives: Directive[];
  /** last lines of the instructions that hold an empty continuation line */
  emptyContinuations: number[];
}
