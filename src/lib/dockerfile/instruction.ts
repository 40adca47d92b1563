import type { HealthConfig } from "../../types/oci.ts";
import type { Pair } from "./arguments.ts";
import type { ParsedInstruction } from "./ast.ts";

/**
 * Instructions as typed values, their variables not yet put in. `source` says where each stands and how it was
 * written.
 */
export type Instruction =
  | From
  | Arg
  | Env
  | Label
  | Run
  | Copy
  | Add
  | Command
  | Healthcheck
  | Shell
  | Onbuild
  | Words
  | Word;

export type InstructionKind = Instruction["kind"];

interface Written {
  source: ParsedInstruction;
}

export interface From extends Written {
  kind: "from";
  base: string;
  /** lower case */
  name: string | undefined;
  platform: string;
}

export interface Arg extends Written {
  kind: "arg";
  args: ArgDefinition[];
}

export interface ArgDefinition {
  key: string;
  /** undefined = declared without a default */
  value: string | undefined;
  /** from a comment `# KEY what it is` right above */
  description: string;
}

export interface Env extends Written {
  kind: "env";
  pairs: Pair[];
}

export interface Label extends Written {
  kind: "label";
  pairs: Pair[];
}

/** An argument in JSON form, or one text for the shell. */
export interface CommandLine {
  words: string[];
  shell: boolean;
}

export interface Run extends Written {
  kind: "run";
  command: CommandLine;
  /** as written; `run-mount.ts` reads them once variables are known */
  mounts: string[];
  network: NetworkMode;
  security: "sandbox" | "insecure";
  devices: string[];
}

export type NetworkMode = "default" | "none" | "host";

interface FilesAndDestination {
  /** paths or patterns, URLs for ADD */
  sources: string[];
  destination: string;
  inlines: InlineFile[];
  chown: string;
  chmod: string;
  link: boolean;
  parents: boolean;
  exclude: string[];
}

export interface InlineFile {
  name: string;
  content: string;
  expand: boolean;
}

export interface Copy extends Written, FilesAndDestination {
  kind: "copy";
  from: string;
}

export interface Add extends Written, FilesAndDestination {
  kind: "add";
  checksum: string;
  keepGitDir: boolean | undefined;
  unpack: boolean | undefined;
}

export interface Command extends Written {
  kind: "cmd" | "entrypoint";
  command: CommandLine;
}

export interface Healthcheck extends Written {
  kind: "healthcheck";
  health: HealthConfig;
}

export interface Shell extends Written {
  kind: "shell";
  shell: string[];
}

export interface Onbuild extends Written {
  kind: "onbuild";
  /** the trigger as it is stored in the image */
  expression: string;
}

export interface Words extends Written {
  kind: "expose" | "volume";
  words: string[];
}

export interface Word extends Written {
  kind: "workdir" | "user" | "stopsignal" | "maintainer";
  word: string;
}

export const instructionNames = [
  "add",
  "arg",
  "cmd",
  "copy",
  "entrypoint",
  "env",
  "expose",
  "from",
  "healthcheck",
  "label",
  "maintainer",
  "onbuild",
  "run",
  "shell",
  "stopsignal",
  "user",
  "volume",
  "workdir",
] as const;
