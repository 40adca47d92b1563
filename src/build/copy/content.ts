import { copyRangeRaw, must, readAtRaw, writeAllAt } from "../../system/files/at.ts";

const inKernelMin = 64 * 1024;
const buffer = Buffer.allocUnsafe(inKernelMin);

/**
 * Copies a file's content to its end, whatever `size` said. Large files are copied (or shared) by the kernel; for small
 * ones two calls less are quicker. `whole` is the content where it was read in one piece, only lent.
 */
export function copyContent(from: number, to: number, size: number): { size: number; whole?: Buffer } {
  let at = 0;
  if (size >= inKernelMin)
    for (;;) {
      const copied = copyRangeRaw(from, to, at, size - at);
      if (copied <= 0) break; // what the kernel cannot copy is copied by hand
      at += copied;
      if (at >= size) return { size: at };
    }
  for (;;) {
    const count = must(readAtRaw(from, buffer, at), () => "read a file to copy");
    if (count === 0) return { size: at };
    const bytes = buffer.subarray(0, count);
    writeAllAt(to, bytes, at, () => "write a copied file");
    at += count;
    if (at === size && count < buffer.length) return at === count ? { size: at, whole: bytes } : { size: at };
  }
}
