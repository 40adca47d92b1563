import type { Range } from "../../../lib/dockerfile/ast.ts";
import type { From, Instruction } from "../../../lib/dockerfile/instruction.ts";
import type { Platform } from "../../../types/oci.ts";

export interface Stage {
  index: number;
  /** lower case */
  name: string | undefined;
  /** in names of steps: "build", "stage-1", "" when the file has nothing else */
  displayName: string;
  base: StageBaseRef;
  /** of `--platform`, else the target's */
  platform: Platform;
  instructions: Instruction[];
  from: From;
  location: Range;
  /** of the comment above it: `# name what it is` */
  description: string;
  /** global ARGs that FROM used */
  usedArgs: ReadonlySet<string>;
}

export type StageBaseRef =
  | { kind: "scratch" }
  /** an earlier stage of the file */
  | { kind: "stage"; index: number }
  /** canonical, with tag or digest; `written` is what the file says, variables put in */
  | { kind: "image"; reference: string; written: string }
  /** of `--build-context`; `whole`: it stands in for the stage itself, whose instructions are gone */
  | { kind: "context"; name: string; whole: boolean };
