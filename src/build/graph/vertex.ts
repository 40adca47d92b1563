import { sha256 } from "../../lib/image/digest.ts";
import type { Operation, TreeSource } from "./operation.ts";

/** A step of a build as the solver sees it: what is done, to which results, and how it is told to the user. */
export interface Vertex {
  /** of the definition: the same for the same step of the same build */
  digest: string;
  /** "[build 2/4] RUN make" */
  name: string;
  /** the stage's name, else its number */
  stage: string;
  /** where in its Dockerfile; 0 = not in it */
  lines: { start: number; end: number };
  /** the same for the step at the same place of the same Dockerfile: what it is compared with */
  position: string;
  operation: Operation;
  /** run it whatever the cache holds */
  ignoreCache: boolean;
  /** clamps the times of what it makes, seconds since the epoch */
  sourceDateEpoch: number | undefined;
}

type VertexInput = Omit<Vertex, "digest">;

/** Completes a vertex with the digest of its definition and those of all its inputs. */
export function makeVertex(input: VertexInput): Vertex {
  const definition = JSON.stringify([input.name, input.lines, input.operation], (_key, value: unknown) =>
    isVertex(value) ? value.digest : value,
  );
  return { ...input, digest: sha256(definition) };
}

const isVertex = (value: unknown): value is Vertex =>
  typeof value === "object" && value !== null && "digest" in value && "operation" in value;

/** The vertices whose results a vertex needs, `base` first. */
export function inputsOf({ operation }: Vertex): Vertex[] {
  switch (operation.kind) {
    case "image":
      return [];
    case "workdir":
      return defined([operation.base]);
    case "merge":
      return defined([operation.base, operation.upper]);
    case "copy":
      return defined([
        operation.base,
        ...operation.sources.map((source) => (source.kind === "tree" ? treeVertex(source.tree) : undefined)),
      ]);
    case "run":
      return defined([
        operation.base,
        ...operation.mounts.map((mount) =>
          (mount.type === "bind" || mount.type === "cache") && mount.from
            ? treeVertex(mount.from)
            : undefined,
        ),
      ]);
  }
}

const treeVertex = (tree: TreeSource): Vertex | undefined =>
  tree.kind === "vertex" ? tree.vertex : undefined;

const defined = (list: readonly (Vertex | undefined)[]): Vertex[] => [
  ...new Set(list.filter((one) => one !== undefined)),
];
