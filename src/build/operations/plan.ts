import { chainOf, type KeyParts } from "../cache/key.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { RunStep } from "../solver/shared-steps.ts";

/** The result of a vertex: the layers of its root file system, lowest first. */
export interface Outcome {
  layers: readonly string[];
  /** keys of the cached steps it was made by */
  keys: readonly string[];
  /** when its topmost own layer was made; undefined = none is its own */
  created: string | undefined;
  /** of a COPY: `file:…`, `dir:…` or `multi:…`, as the classic builder's history names what was copied */
  sources?: string;
}

/** What a vertex came to; of nothing, an empty root. */
export type ResultOf = (vertex: Vertex | undefined) => Outcome;

/** A step ready to be looked up, and to be run where it is not found. */
export interface Plan {
  kind: "run" | "copy" | "workdir";
  parts: KeyParts;
  /** the same instruction, wherever it stands */
  family: string;
  /** digests of lists of files that `parts` names */
  files: readonly string[];
  /** see `Outcome` */
  sources?: string;
  run: RunStep;
}

export const scratch: Outcome = { layers: [], keys: [], created: undefined };

/**
 * What a step works on, as parts of its key. The instructions before it count besides the files that they left: who edits one
 * (`RUN echo 2`, to have what follows run anew) means all below it, and what that fetches is not in any file.
 */
export const baseParts = ({ layers, keys }: Outcome): KeyParts => ({
  base: chainOf(layers),
  ...(keys.length === 0 ? {} : { steps: chainOf(keys) }),
});
