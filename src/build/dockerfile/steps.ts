import type { Range } from "../../lib/dockerfile/ast.ts";
import type { Instruction, NetworkMode } from "../../lib/dockerfile/instruction.ts";
import type { MountType } from "../../lib/dockerfile/run-mount.ts";
import type { ImageConfig, ImageRunConfig } from "../../types/oci.ts";
import type { GitSource } from "./apply/git-source.ts";
import type { SourceRef } from "./stages/sources.ts";
import type { Stage } from "./stages/stage.ts";

/**
 * What a stage comes to once its base is known: the steps that touch files, in order, and the configuration of its
 * end. Everything is resolved: variables put in, paths absolute, defaults filled in.
 */
export interface ExpandedStage {
  stage: Stage;
  /** name of the step that brings the base: "[build 1/4] FROM docker.io/…"; undefined for scratch and other stages */
  fromName: string | undefined;
  steps: Step[];
  config: ImageRunConfig;
  author: string | undefined;
  /** of this stage alone; the base's stands before it */
  history: StageHistory[];
  /** what a stage FROM this one goes on with */
  end: StageEnd;
}

export interface StageHistory {
  createdBy: string;
  /** no files changed */
  emptyLayer: boolean;
  /** index in `steps` of the one that made the layer */
  step: number | undefined;
  instruction: Instruction;
  isTrigger: boolean;
  /** of the stage so far, in classic builds: else as it is at its end */
  config: ImageRunConfig;
  author: string | undefined;
  /** classic builds run what stands before an instruction that is wrong */
  failure?: Error;
}

/** The state of variables at a stage's end: ARGs stay visible in stages FROM it. */
interface StageEnd {
  environment: ReadonlyMap<string, string>;
  args: readonly BuildArg[];
  /** a WORKDIR was absolute, or was set by the file itself */
  workdirSet: boolean;
  /** what ONBUILD of this stage leaves to stages FROM it */
  triggers: readonly string[];
  usage: StageUsage;
}

export interface BuildArg {
  key: string;
  value: string | undefined;
}

/** For `--call outline`. */
export interface StageUsage {
  args: ReadonlyMap<string, { description: string; value: string | undefined; line: number }>;
  usedArgs: ReadonlySet<string>;
  secrets: ReadonlyMap<string, { required: boolean; line: number }>;
  ssh: ReadonlyMap<string, { required: boolean; line: number }>;
}

export type StageBase =
  | { kind: "scratch" }
  /** `reference` is shown in the step's name; `hasLayers` false: an image without files counts as no step */
  | { kind: "image"; config: ImageConfig; reference: string; hasLayers: boolean }
  | { kind: "stage"; stage: ExpandedStage };

export type Step = RunStep | CopyStep | WorkdirStep;

interface StepCommon {
  /** "[build 2/4] RUN make" */
  name: string;
  /** the instruction as written, lines joined */
  instruction: string;
  location: Range;
  /** the history's sentence */
  createdBy: string;
}

export interface RunStep extends StepCommon {
  kind: "run";
  args: string[];
  /** `KEY=value`; ARGs included */
  env: readonly string[];
  cwd: string;
  /** as in the image's configuration; "" = root */
  user: string;
  mounts: StepMount[];
  /** folders whose changes are lost after the step: VOLUMEs in a classic build */
  volumes: string[];
  network: NetworkMode;
  security: "sandbox" | "insecure";
  /** a heredoc that begins with `#!`: an executable file to be seen at `path` in the step alone */
  inlineFile: { path: string; content: string } | undefined;
  /** proxy variables of the build arguments: in the environment, but in neither the key nor the history */
  proxy: Record<string, string>;
}

export interface StepMount {
  type: MountType;
  /** bind and cache: where the files come from */
  from: SourceRef;
  /** absolute, within `from` */
  source: string;
  /** absolute; undefined for a secret that is a variable alone */
  target: string | undefined;
  readOnly: boolean;
  /** of cache (with the namespace), secret, ssh */
  id: string;
  sharing: "shared" | "private" | "locked";
  required: boolean;
  /** variable that holds the secret */
  env: string | undefined;
  /** bytes; tmpfs */
  sizeLimit: number | undefined;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
}

export interface CopyStep extends StepCommon {
  kind: "copy";
  add: boolean;
  items: CopyItem[];
  /** absolute; a trailing `/` says that it is a folder */
  destination: string;
  /** `user[:group]`, names or numbers; "" = 0:0, or the source's own for inline files alike */
  chown: string;
  chmod: { mode: number } | { symbolic: string } | undefined;
  /** a layer of its own that knows nothing of those below */
  link: boolean;
  exclude: string[];
}

export type CopyItem =
  /** `path` is absolute and may be a pattern; `include` is the part of it that `--parents` keeps */
  | { kind: "path"; from: SourceRef; path: string; include: string | undefined; unpack: boolean }
  | { kind: "url"; url: string; filename: string; checksum: string | undefined; unpack: boolean }
  | { kind: "git"; git: GitSource }
  | { kind: "inline"; name: string; content: string };

interface WorkdirStep extends StepCommon {
  kind: "workdir";
  /** absolute, as written: may hold `..` */
  path: string;
  /** owner of folders that it makes; "" = root */
  user: string;
}
