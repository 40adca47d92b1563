import { EngineError } from "../../lib/errors.ts";
import { decodeJson } from "../../lib/go/json/decode.ts";
import { type LocalBuildRequest, uploadType } from "../../types/local-build.ts";
import { type Call, jsonLimit } from "../call.ts";
import { localBuildShape } from "./local-shape.ts";

interface LocalBody {
  given: Partial<LocalBuildRequest>;
  /** what comes behind the request */
  tar: AsyncIterable<Uint8Array>;
}

/** A request alone, or one on a line of its own with a tar behind it, which is read as it comes. */
export async function readLocalBody(call: Call): Promise<LocalBody> {
  if (call.headers["content-type"] !== uploadType)
    return { given: await call.json(localBuildShape, true), tar: nothing() };
  const { line, rest } = await splitLine(call.body);
  return { given: decodeJson(line, localBuildShape) as Partial<LocalBuildRequest>, tar: rest };
}

const nothing = (): AsyncIterable<Uint8Array> =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });

async function splitLine(
  body: AsyncIterable<Uint8Array>,
): Promise<{ line: string; rest: AsyncIterable<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const { value } = next;
    const end = value.indexOf(0x0a);
    size += end < 0 ? value.length : end;
    if (size > jsonLimit) break;
    if (end < 0) pieces.push(value);
    else {
      pieces.push(value.subarray(0, end));
      return {
        line: Buffer.concat(pieces).toString("utf8"),
        rest: behind(value.subarray(end + 1), iterator),
      };
    }
  }
  await iterator.return?.();
  throw new EngineError("invalid", `the request is no line of at most ${jsonLimit} bytes`);
}

async function* behind(first: Uint8Array, others: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    yield* { [Symbol.asyncIterator]: () => others };
  } finally {
    await others.return?.();
  }
}
