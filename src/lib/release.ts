/**
 * Gives memory back that nobody will look at again, now rather than when the garbage is collected: streams of half a
 * megabyte a piece would hold a hundred megabytes by then. Nothing where it is only part of some memory, or shared.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && bytes.length === buffer.byteLength) buffer.transfer(0);
}
