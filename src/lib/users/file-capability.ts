import { type IdMap, onDisk, overflowId } from "./id-map.ts";

/** `security.capability`: capabilities(7), include/uapi/linux/capability.h; little-endian everywhere. */
const revisionMask = 0xff000000;
const revision = { two: 0x02000000, three: 0x03000000 } as const;
const sizeTwo = 20;
const sizeThree = 24;

/**
 * Capabilities of a file that was read where owners are mapped, as its container has them: the kernel then tells whose
 * root they are for (revision 3), which is left out for the container's own (revision 2).
 */
export function unmapCapability(value: Buffer, { uids }: IdMap): Buffer {
  if (value.length !== sizeThree) return value;
  const head = value.readUInt32LE(0);
  if ((head & revisionMask) >>> 0 !== revision.three) return value;
  const root = onDisk(uids, value.readUInt32LE(sizeTwo)) ?? overflowId;
  const unmapped = Buffer.from(value);
  if (root === 0) {
    unmapped.writeUInt32LE(((head & ~revisionMask) | revision.two) >>> 0, 0);
    return unmapped.subarray(0, sizeTwo);
  }
  unmapped.writeUInt32LE(root, sizeTwo);
  return unmapped;
}
