import { sha256 } from "../../lib/image/digest.ts";
import { inputsOf, type Vertex } from "../graph/vertex.ts";
import type { Session } from "./session.ts";

/**
 * Images that steps begin with, as the user is told of them. As in BuildKit: one image is one step, however many stages
 * begin with it, called as by the last that does; it is told as cached once its files are needed, and as done where all
 * that stands on it came out of the cache.
 */
export class ImageSteps {
  private readonly session: Session;
  private readonly names = new Map<string, Vertex>();
  private readonly told = new Map<string, "done" | "cached">();

  constructor(session: Session) {
    this.session = session;
  }

  /** What the steps below a vertex begin with; before any of them is told. */
  name(root: Vertex | undefined): void {
    const seen = new Set<Vertex>();
    const stack = root === undefined ? [] : [root];
    // the first that is met from the end is the last of a walk from the beginning
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const key = keyOf(next);
      if (key !== undefined && !this.names.has(key)) this.names.set(key, next);
      stack.push(...inputsOf(next));
    }
  }

  /** By what the user is told of a vertex. */
  digestOf(vertex: Vertex): string {
    const key = keyOf(vertex);
    return key === undefined ? vertex.digest : sha256(`image step ${key}`);
  }

  /** `needed`: its files are; does nothing for what is no image. */
  tell(vertex: Vertex | undefined, needed: boolean): void {
    const key = vertex === undefined ? undefined : keyOf(vertex);
    if (vertex === undefined || key === undefined) return;
    const state = needed ? "cached" : "done";
    const before = this.told.get(key);
    if (before === "cached" || before === state) return;
    this.told.set(key, state);
    const { name, lines } = this.names.get(key) ?? vertex;
    const now = Date.now();
    this.session.vertex({
      digest: this.digestOf(vertex),
      inputs: [],
      name,
      cached: needed,
      ...(lines.start > 0 ? { line: lines.start } : {}),
      started: now,
      completed: now,
    });
  }
}

const keyOf = ({ operation }: Vertex): string | undefined =>
  operation.kind === "image" ? `${operation.imageId} ${operation.layers.length}` : undefined;
