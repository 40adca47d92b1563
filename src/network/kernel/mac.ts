import { randomBytes } from "node:crypto";

/** A random MAC of the locally administered, individual kind. */
export function randomMac(): Uint8Array {
  const mac = randomBytes(6);
  mac[0] = ((mac[0] ?? 0) & 0xfc) | 0x02;
  return mac;
}
