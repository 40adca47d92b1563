import { expect, test } from "bun:test";
import type { Repository } from "../../distribution/contract.ts";
import { sendBlob } from "./send-blob.ts";

/** How often a blob of three bytes is sent to a target that has `size` bytes of it. */
async function sent(size: number | undefined): Promise<number> {
  let count = 0;
  const target: Pick<Repository, "blobSize" | "upload"> = {
    blobSize: () => Promise.resolve(size),
    upload: () => {
      count++;
      return Promise.resolve({} as never);
    },
  };
  await sendBlob(target as Repository, new Uint8Array(3), new AbortController().signal);
  return count;
}

test("a blob is sent where it is missing or not whole", async () => {
  expect([await sent(undefined), await sent(2), await sent(3)]).toEqual([1, 1, 0]);
});
