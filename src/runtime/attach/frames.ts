import type { StreamNumber } from "./connection.ts";

/** Docker's framing of two streams in one: 1 byte stream, 3 zero bytes, 4 bytes length (big-endian), the bytes. */
export const frameHeaderSize = 8;

export interface Packet {
  stream: StreamNumber;
  bytes: Uint8Array;
}

export function writeFrameHeader(into: Uint8Array, at: number, stream: StreamNumber, length: number): void {
  into.fill(0, at, at + 4);
  into[at] = stream;
  into[at + 4] = length >>> 24;
  into[at + 5] = (length >>> 16) & 0xff;
  into[at + 6] = (length >>> 8) & 0xff;
  into[at + 7] = length & 0xff;
}

/** Packets as one piece of output: their bytes with a terminal, else frames (neighbours of one stream share one). */
export function joinPackets(packets: readonly Packet[], terminal: boolean): Uint8Array {
  const [first] = packets;
  if (terminal && first && packets.length === 1) return first.bytes;
  const total = packets.reduce((size, { bytes }) => size + bytes.length, 0);
  const joined = new Uint8Array(total + (terminal ? 0 : packets.length * frameHeaderSize));
  let at = 0;
  let frame = -1; // where the header of the frame being filled is
  let stream = 0;
  for (const packet of packets) {
    if (!terminal && packet.stream !== stream) {
      closeFrame(joined, frame, stream, at);
      frame = at;
      stream = packet.stream;
      at += frameHeaderSize;
    }
    joined.set(packet.bytes, at);
    at += packet.bytes.length;
  }
  closeFrame(joined, frame, stream, at);
  return joined.subarray(0, at);
}

function closeFrame(joined: Uint8Array, frame: number, stream: number, end: number): void {
  if (frame >= 0) writeFrameHeader(joined, frame, stream as StreamNumber, end - frame - frameHeaderSize);
}
