/** How a stream is compressed, told from its first bytes. */
export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

const magics: readonly [Compression, readonly number[]][] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** Bytes needed to tell. */
export const compressionMagicMax = 6;

export function detectCompression(start: Uint8Array): Compression {
  for (const [compression, magic] of magics)
    if (start.length >= magic.length && magic.every((byte, at) => start[at] === byte)) return compression;
  // a zstd stream may begin with a skippable frame: 0x184D2A5?
  if (
    start.length >= 4 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18 &&
    ((start[0] ?? 0) & 0xf0) === 0x50
  )
    return "zstd";
  return "none";
}
