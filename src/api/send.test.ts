import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { pour } from "./send.ts";

test("a source lets go of what it holds even where the client had gone before it began", async () => {
  let open = true;
  async function* source(): AsyncGenerator<string> {
    try {
      yield "first";
      yield "second";
    } finally {
      open = false;
    }
  }
  const gone = new PassThrough();
  gone.destroy();
  await pour(source(), gone);
  expect(open).toBe(false);

  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({
    cancel: () => {
      cancelled = true;
    },
  });
  await pour(silent, gone);
  expect(cancelled).toBe(true);
});
