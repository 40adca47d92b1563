import { isIP } from "./ip.ts";

/** An address in network order: 4 or 16 bytes. A zone (`%eth0`) is left out; `undefined` for what is no address. */
export function ipBytes(text: string): Uint8Array | undefined {
  const address = text.replace(/%.*/, "");
  const family = isIP(address);
  if (family === 0) return undefined;
  return family === 4 ? Uint8Array.from(address.split("."), Number) : ipv6Bytes(address);
}

function ipv6Bytes(address: string): Uint8Array {
  const [head = "", tail] = address.split("::");
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of first.entries()) bytes.writeUInt16BE(group, index * 2);
  for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, (8 - last.length + index) * 2);
  return bytes;
}

/** 16 bits each; a dotted end counts for two. */
const groups = (text: string): number[] =>
  text
    .split(":")
    .filter((part) => part !== "")
    .flatMap((part) => {
      if (!part.includes(".")) return [Number.parseInt(part, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
      return [a * 256 + b, c * 256 + d];
    });
