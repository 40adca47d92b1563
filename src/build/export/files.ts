import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { goBool, goBoolError } from "../../lib/go/bool.ts";
import { newId } from "../../lib/ids.ts";
import { endOfArchive } from "../../lib/tar/writer.ts";
import type { FolderSink } from "../contract.ts";
import type { Session } from "../solver/session.ts";
import { member } from "./oci-archive.ts";
import type { PlatformResult } from "./result.ts";

/** A result's files, and what lies beside them. */
interface ResultTree {
  result: PlatformResult;
  /** `linux_arm64/` where each platform has a folder of its own, else "" */
  prefix: string;
  /** attestations, by name */
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** `platform-split` makes a folder for each platform; of several it is the default. */
export function treesOf(
  results: readonly PlatformResult[],
  attributes: Record<string, string>,
): ResultTree[] {
  const split = splits(attributes["platform-split"]) ?? results.length > 1;
  return results.map((result) => {
    const { platform, predicates = [] } = result;
    const folder = platform.replaceAll("/", "_");
    // beside each other in one folder they need names of their own
    const own = !split && results.length > 1 ? `${folder}.` : "";
    const files = predicates.map(({ file, predicate }): [string, Uint8Array<ArrayBuffer>] => [
      `${own}${file}`,
      new TextEncoder().encode(JSON.stringify(predicate, undefined, 2)),
    ]);
    return { result, prefix: split ? `${folder}/` : "", files: new Map(files) };
  });
}

function splits(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const value = goBool(text);
  if (value === undefined)
    throw new EngineError("invalid", `non-bool value for platform-split: ${text}: ${goBoolError(text)}`);
  return value;
}

/** Copies them to the client; what lies beside a result has a folder of its own for as long as the build lasts. */
export async function copyTrees(
  session: Session,
  sink: FolderSink,
  trees: readonly ResultTree[],
): Promise<void> {
  for (const { result, prefix, files } of trees) {
    await sink.copy(await session.view(result.layers), prefix);
    if (files.size === 0) continue;
    const folder = join(session.deps.paths.scratch, `beside-${newId().slice(0, 24)}`);
    session.discard(folder);
    await mkdir(folder, { mode: 0o700 });
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes, { mode: 0o644 });
    await sink.copy(folder, prefix);
  }
}

/** The files as one tar. */
export async function* filesTar(
  session: Session,
  results: readonly PlatformResult[],
  attributes: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  for (const { result, prefix, files } of treesOf(results, attributes)) {
    const root = await session.view(result.layers);
    yield* session.deps.workers.tar(root, { prefix, more: true });
    for (const [name, bytes] of files) yield* member(prefix + name, bytes);
  }
  yield endOfArchive;
}
