import { createHash } from "node:crypto";
import type { BuildEvent } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { parseIgnoreFile } from "../../lib/ignore/ignore-file.ts";
import { IgnoreMatcher } from "../../lib/ignore/matcher.ts";
import type { MemoryTree } from "../filesync/memory-tree.ts";
import { receiveSmall } from "../filesync/transfer.ts";
import { sessionMethods } from "../messages/session.ts";
import { openFileSync } from "../session/file-sync.ts";
import type { Session } from "../session/session.ts";

/** What a build is read from before it can be planned. */
export interface Definition {
  name: string;
  text: string;
  /** patterns of the ignore file that applies */
  ignore: string[];
}

export interface DefinitionSource {
  session: Session;
  /** of the Dockerfile within its folder */
  filename: string;
  /** what the client calls the Dockerfile's folder, and the context; undefined = there is none of the client's */
  dockerfileFolder: string;
  contextFolder: string | undefined;
  tell: (event: BuildEvent) => void;
  signal: AbortSignal;
}

const decoder = new TextDecoder();

/** Throws `invalid` for a pattern that is none, before a client is asked for files by it. */
function patternsIn(file: Uint8Array): string[] {
  const patterns = parseIgnoreFile(decoder.decode(file)).map(({ pattern }) => pattern);
  new IgnoreMatcher(patterns);
  return patterns;
}

/** Fetches the Dockerfile and the ignore file from the client, telling both as steps. */
export async function loadDefinition(source: DefinitionSource): Promise<Definition> {
  const { filename, session } = source;
  if (!session.serves(sessionMethods.diffCopy))
    throw new EngineError("invalid", "failed to read dockerfile: no local sources enabled");
  const lower = filename.replace(/(^|\/)Dockerfile$/, "$1dockerfile");
  const own = `${filename}.dockerignore`;
  const paths = [filename, own, ...(lower === filename ? [] : [lower])];
  const files = await step(
    source,
    `[internal] load build definition from ${filename}`,
    "transferring dockerfile:",
    (onBytes) => receive(source, source.dockerfileFolder, paths, onBytes),
  );
  const dockerfile = files.read(filename) ?? files.read(lower);
  if (!dockerfile) {
    const why = files.isFolder(filename)
      ? `read ${filename}: is a directory`
      : `open ${filename}: no such file or directory`;
    throw new EngineError("invalid", `failed to read dockerfile: ${why}`);
  }
  const ownIgnore = files.read(own);
  const ignore = ownIgnore ? patternsIn(ownIgnore) : await contextIgnore(source);
  return { name: filename, text: decoder.decode(dockerfile), ignore };
}

/** The patterns of the .dockerignore at a context's root. */
export async function contextIgnore(source: DefinitionSource): Promise<string[]> {
  const { contextFolder } = source;
  if (contextFolder === undefined) return [];
  const files = await step(source, "[internal] load .dockerignore", "transferring context:", (onBytes) =>
    receive(source, contextFolder, [".dockerignore"], onBytes),
  );
  const text = files.read(".dockerignore");
  return text ? patternsIn(text) : [];
}

const receive = (
  { session, signal }: DefinitionSource,
  name: string,
  followPaths: string[],
  onBytes: (bytes: number) => void,
): Promise<MemoryTree> => receiveSmall(openFileSync(session, { name, followPaths, signal }), onBytes);

/** Tells a transfer as a vertex with one status. */
async function step<Result>(
  { tell }: DefinitionSource,
  name: string,
  id: string,
  work: (onBytes: (bytes: number) => void) => Promise<Result>,
): Promise<Result> {
  const vertex = { digest: digestOf(`${name}${Math.random()}`), inputs: [], name, cached: false };
  const started = Date.now();
  const status = { id, vertex: vertex.digest, total: 0, started };
  let current = 0;
  tell({ kind: "vertex", vertex: { ...vertex, started } });
  try {
    const result = await work((bytes) => {
      current = bytes;
    });
    const completed = Date.now();
    tell({ kind: "status", status: { ...status, current, completed } });
    tell({ kind: "vertex", vertex: { ...vertex, started, completed } });
    return result;
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    tell({ kind: "vertex", vertex: { ...vertex, started, completed: Date.now(), error: sentence } });
    throw error;
  }
}

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
