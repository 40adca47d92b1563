import { dockerfileIn } from "../../build/contexts/folder.ts";
import { contextFailure } from "../../build/contexts/remote.ts";
import { newId } from "../../lib/ids.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { type definition, op } from "../messages/ops.ts";
import type { Parts } from "./parts.ts";
import type { Progress } from "./progress.ts";

/** A file of a web server that a client wants to read (`-f URL`): the one source of a definition. */
export interface WebSource {
  url: string;
  /** what it is called in the result */
  filename: string;
  /** of its vertex */
  digest: string;
  name: string;
}

export interface WebFile {
  filename: string;
  bytes: Uint8Array;
}

/** undefined for any other graph. The last operation names the result. */
export function webSourceOf({ def, metadata }: Decoded<typeof definition>): WebSource | undefined {
  const [source, end, ...more] = def.map((bytes) => decode(op, bytes));
  const digest = end?.inputs[0]?.digest ?? "";
  const { identifier: url = "", attrs } = source?.source ?? {};
  if (more.length > 0 || end?.inputs.length !== 1 || !/^https?:\/\//.test(url)) return undefined;
  const name = metadata.get(digest)?.description.get("llb.customname") ?? url;
  return { url, filename: attrs?.get("http.filename") ?? "index", digest, name };
}

/** Fetches it as a context's Dockerfile is, within the same limits, and tells it as a step. */
export async function fetchWebFile(
  { builds }: Parts,
  { url, filename, digest, name }: WebSource,
  progress: Progress,
  signal: AbortSignal,
): Promise<WebFile> {
  const started = Date.now();
  const vertex = { digest: digest || `sha256:${newId()}`, inputs: [], name, cached: false, started };
  progress.add({ kind: "vertex", vertex });
  try {
    const { root, close } = await builds.fetchContext(url, signal);
    try {
      const bytes = new TextEncoder().encode(dockerfileIn(root, "Dockerfile"));
      progress.add({ kind: "vertex", vertex: { ...vertex, completed: Date.now() } });
      return { filename, bytes };
    } finally {
      await close();
    }
  } catch (error) {
    const { message } = contextFailure(error) as Error;
    const sentence = message.replace(/^failed to read downloaded context: /, "");
    const own = sentence.replace(/^failed to load cache key: /, "");
    progress.add({ kind: "vertex", vertex: { ...vertex, completed: Date.now(), error: own } });
    throw new Error(sentence, { cause: error });
  }
}
