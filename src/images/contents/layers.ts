import { messageOf } from "../../lib/errors.ts";
import type { FailureLine, ImageLine } from "../../types/image-report.ts";
import type { ImagesContext } from "../deps.ts";
import { namesOf } from "../names.ts";
import { resolve } from "../resolve.ts";

const line = (value: object): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);

/** What an image's layers are and, as lines of JSON after that, what each does to those below it. */
export function describeLayers(
  context: ImagesContext,
  name: string,
  options: { files: boolean },
): AsyncIterable<Uint8Array> {
  const { store, snapshots } = context;
  const image = resolve(store, name);
  const steps = (image.config.history ?? []).filter((step) => !step.empty_layer);
  const first: ImageLine = {
    id: image.id,
    tags: namesOf(store, image.id).tags,
    layers: image.layers.map((diffId, index) => ({
      diffId,
      size: snapshots.layer(diffId)?.size ?? 0,
      createdBy: steps[index]?.created_by || steps[index]?.comment || "",
      created: steps[index]?.created ?? "",
      sharedBy: [...store.all()].filter((other) => other.id !== image.id && other.layers.includes(diffId))
        .length,
    })),
  };
  return withFailure(line(first), snapshots.layerReport(image.layers, options.files));
}

/** What differs between two images' files, as lines of JSON. */
export function compareImages(
  context: ImagesContext,
  before: string,
  after: string,
): AsyncIterable<Uint8Array> {
  const [a, b] = [before, after].map((name) => resolve(context.store, name).layers);
  return withFailure(undefined, context.snapshots.compare(a ?? [], b ?? []));
}

/** The status is told by then, so a failure is the last line. */
async function* withFailure(
  first: Uint8Array | undefined,
  lines: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first) yield first;
    yield* lines as AsyncIterable<Uint8Array>;
  } catch (error) {
    const failure: FailureLine = { error: messageOf(error) };
    yield line(failure);
  }
}
