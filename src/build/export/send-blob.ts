import type { Repository } from "../../distribution/contract.ts";
import { sha256 } from "../../lib/image/digest.ts";

/** Sends a small blob, where the target has not got it whole. */
export async function sendBlob(
  target: Repository,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const digest = sha256(bytes);
  if ((await target.blobSize(digest)) === bytes.length) return;
  async function* source(offset: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(offset);
  }
  await target.upload({ digest: () => digest, size: bytes.length, source, signal });
}
