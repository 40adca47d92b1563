import { heldLimits, openWeb, WebFailure } from "../../build/contexts/web.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import { type definition, op } from "../messages/ops.ts";
import type { Progress } from "./progress.ts";

/** A file of a web server that a client wants to read (`-f URL`): the one source of a definition. */
export interface WebSource {
  url: string;
  /** what it is called in the result */
  filename: string;
  /** `sha256:…` that it must have */
  checksum: string | undefined;
  /** of its vertex */
  digest: string;
  name: string;
}

export interface WebFile {
  filename: string;
  bytes: Uint8Array;
}

/** What is honoured of a source's attributes; the others would change what the client gets. */
const attributesKnown = new Set(["http.filename", "http.checksum"]);

/** undefined for any other graph. The last operation names the result. */
export function webSourceOf({ def, metadata }: Decoded<typeof definition>): WebSource | undefined {
  const [source, end, ...more] = def.map((bytes) => decode(op, bytes));
  const digest = end?.inputs[0]?.digest ?? "";
  const { identifier: url = "", attrs } = source?.source ?? {};
  if (more.length > 0 || end?.inputs.length !== 1 || !/^https?:\/\//.test(url)) return undefined;
  const name = metadata.get(digest)?.description.get("llb.customname") ?? url;
  for (const attribute of attrs?.keys() ?? [])
    if (!attributesKnown.has(attribute))
      throw new GrpcError(codes.unimplemented, `${attribute} of a web source is not supported by berth`);
  const filename = attrs?.get("http.filename") ?? "index";
  return { url, filename, checksum: attrs?.get("http.checksum"), digest, name };
}

/** Fetches it as it is, also where it is packed, within the limits of a Dockerfile, and tells it as a step. */
export async function fetchWebFile(
  { url, filename, checksum, digest, name }: WebSource,
  progress: Progress,
  signal: AbortSignal,
): Promise<WebFile> {
  const started = Date.now();
  const vertex = { digest: digest || `sha256:${newId()}`, inputs: [], name, cached: false, started };
  progress.add({ kind: "vertex", vertex });
  try {
    const { body } = await openWeb(url, heldLimits, signal);
    const bytes = Buffer.concat(await Array.fromAsync(body));
    const found = sha256(bytes);
    if (checksum !== undefined && checksum !== found)
      throw new EngineError("invalid", `digest mismatch ${found}: ${checksum}`);
    progress.add({ kind: "vertex", vertex: { ...vertex, completed: Date.now() } });
    return { filename, bytes };
  } catch (error) {
    const own = messageOf(error);
    progress.add({ kind: "vertex", vertex: { ...vertex, completed: Date.now(), error: own } });
    throw new Error(error instanceof WebFailure ? `failed to load cache key: ${own}` : own, { cause: error });
  }
}
