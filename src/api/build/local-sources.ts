import { dockerfileIn, folderContext } from "../../build/contexts/folder.ts";
import { contextFailure } from "../../build/contexts/remote.ts";
import type { BuildContext, Builds, UnpackedContext } from "../../build/contract.ts";
import { EngineError, isKind } from "../../lib/errors.ts";
import type { LocalBuildRequest } from "../../types/local-build.ts";
import { localFolderContext } from "./local-folder.ts";

/** A build's Dockerfile and context, at hand. */
export interface LocalSources {
  dockerfile: { name: string; text: string };
  /** the client does not have the Dockerfile */
  isTold: boolean;
  context: BuildContext | undefined;
  close(): Promise<void>;
}

type Given = Partial<LocalBuildRequest>;
type Fetching = Pick<Builds, "fetchContext" | "unpack">;

interface SourcesParts {
  builds: Fetching;
  /** the tar behind the request */
  tar: AsyncIterable<Uint8Array>;
  signal: AbortSignal;
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

/** Reads a folder in place, fetches what the request names, or unpacks what comes behind it. */
export async function openSources(given: Given, parts: SourcesParts): Promise<LocalSources> {
  const { dockerfile, context } = given;
  if (dockerfile === undefined) throw invalid("the request has no Dockerfile");
  const { name = "Dockerfile", text, url } = dockerfile;
  const fetched = url ? await fetchedText(url, parts) : text;
  const unpacked = await openUnpacked(given, parts);
  if (unpacked === undefined) {
    const folder = context !== undefined && "path" in context ? await localFolderContext(context) : undefined;
    const read = { name, text: fetched ?? "" };
    return { dockerfile: read, isTold: Boolean(url), context: folder, close: () => Promise.resolve() };
  }
  try {
    const { root, close } = unpacked;
    const own = fetched === undefined ? name : undefined;
    const read = { name, text: fetched ?? dockerfileIn(root, name) };
    const folder = folderContext({ root, dockerfile: own, live: false });
    return { dockerfile: read, isTold: text === undefined, context: folder, close };
  } catch (error) {
    await unpacked.close();
    throw error;
  }
}

/** undefined where the context is a folder of this machine, or none. */
async function openUnpacked(
  { context, ssh }: Given,
  { builds, tar, signal }: SourcesParts,
): Promise<UnpackedContext | undefined> {
  if (context === undefined) return undefined;
  if ("url" in context && context.url)
    return await builds.fetchContext(context.url, signal, ssh?.["default"]).catch((error: unknown) => {
      throw refusal(contextFailure(error));
    });
  if (!("upload" in context && context.upload)) return undefined;
  return await builds.unpack(tar, signal).catch((error: unknown) => {
    throw refusal(error);
  });
}

/** A client takes 404 and 409 for an engine without this request, or with another folder: no context is either. */
const refusal = (error: unknown): unknown =>
  isKind(error, "notFound") || isKind(error, "conflict") ? invalid(error.message) : error;

/** `-f URL`: a Dockerfile alone. */
async function fetchedText(url: string, { builds, signal }: SourcesParts): Promise<string> {
  const { root, close } = await builds.fetchContext(url, signal).catch((error: unknown) => {
    throw refusal(error);
  });
  try {
    return dockerfileIn(root, "Dockerfile");
  } finally {
    await close();
  }
}
