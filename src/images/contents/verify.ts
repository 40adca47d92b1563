import { messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { familiar, type Reference } from "../../lib/image/reference.ts";
import type { VerifyLine } from "../../types/image-report.ts";
import type { VerifyRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { namesOf, referencesOf } from "../names.ts";
import { pull } from "../pull/pull.ts";
import { resolve } from "../resolve.ts";
import type { ImageRecord } from "../store.ts";

/** Reads everything again that digests vouch for: each layer once, each configuration. Repairs from registries. */
export function verify(context: ImagesContext, request: VerifyRequest): AsyncGenerator<VerifyLine> {
  const { store } = context;
  // names that are not there are refused before a line is told
  const images =
    request.images.length > 0 ? request.images.map((name) => resolve(store, name)) : [...store.all()];
  return verified(context, request, images);
}

async function* verified(
  context: ImagesContext,
  request: VerifyRequest,
  images: readonly ImageRecord[],
): AsyncGenerator<VerifyLine> {
  const { store, snapshots } = context;
  const sums = { layers: 0, images: 0, damaged: 0, repaired: 0 };
  const damaged: string[] = [];
  for (const diffId of new Set(images.flatMap(({ layers }) => layers))) {
    request.signal.throwIfAborted();
    const problem = await problemOf(() => snapshots.verifyLayer(diffId));
    sums.layers++;
    if (problem !== undefined) damaged.push(diffId);
    yield {
      kind: "layer",
      diffId,
      images: usersOf(context, diffId),
      ...(problem === undefined ? {} : { problem }),
    };
  }
  for (const { id } of images) {
    const actual = sha256(store.text(id));
    const problem = actual === id ? {} : { problem: `its configuration is now ${actual}` };
    sums.images++;
    if (actual !== id) sums.damaged++;
    yield { kind: "image", id, images: nameOf(context, id), ...problem };
  }
  sums.damaged += damaged.length;
  if (request.repair)
    for (const diffId of damaged) {
      const line = await repair(context, diffId, request);
      if (line.problem === undefined) sums.repaired++;
      yield line;
    }
  yield { kind: "end", ...sums };
}

async function problemOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const standingOn = ({ store }: ImagesContext, diffId: string): ImageRecord[] =>
  [...store.all()].filter(({ layers }) => layers.includes(diffId));
const nameOf = ({ store }: ImagesContext, id: string): string[] => {
  const { tags, digests } = namesOf(store, id);
  return tags.length > 0 ? tags : digests.length > 0 ? digests : [id];
};
const usersOf = (context: ImagesContext, diffId: string): string[] =>
  standingOn(context, diffId).flatMap(({ id }) => nameOf(context, id));

/** Tries every name of every image with the layer, by digest where one is known, so that the same image comes. */
async function repair(
  context: ImagesContext,
  diffId: string,
  { signal }: VerifyRequest,
): Promise<Extract<VerifyLine, { kind: "repair" }>> {
  let problem = "no image with it has a name to pull it by";
  for (const reference of sourcesOf(context, diffId)) {
    try {
      const replaced = await context.snapshots.replaceLayer(diffId, async () => {
        for await (const _ of pull(context, { reference, allTags: false, signal }));
      });
      if (replaced) return { kind: "repair", diffId, from: familiar(reference) };
      problem = `${familiar(reference)} is another image now`;
    } catch (error) {
      problem = `${familiar(reference)}: ${messageOf(error)}`;
    }
  }
  return { kind: "repair", diffId, problem };
}

function sourcesOf(context: ImagesContext, diffId: string): Reference[] {
  const references = standingOn(context, diffId).flatMap(({ id }) => referencesOf(context.store, id));
  return [
    ...references.filter(({ digest }) => digest !== undefined),
    ...references.filter(({ digest }) => digest === undefined),
  ];
}
