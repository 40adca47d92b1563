/** RFC 6455 frames, a server's side: what clients send is masked, what is sent to them is not. */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RFC 6455, 7.4.1 */
export const closeCode = { normal: 1000, protocolError: 1002 } as const;

export class FrameError extends Error {}

/** One whole unmasked frame. */
export function encodeFrame(code: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x80 | code;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, head);
  return frame;
}

export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return encodeFrame(opcode.close, payload);
}

interface FrameSink {
  /** data in its order; messages and frames are not told apart */
  data(bytes: Uint8Array): void;
  control(code: number, payload: Uint8Array): void;
}

const controlMax = 125;
const headMax = 14;

/** Takes a client's frames apart, cut anywhere; data goes on as it comes. Throws FrameError for what no client may send. */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly head = Buffer.alloc(headMax);
  private headFilled = 0;
  /** payload bytes of the present frame that are still to come; -1 = its head is not whole */
  private left = -1;
  private code = 0;
  private readonly mask = Buffer.alloc(4);
  private maskAt = 0;
  private control: Buffer = Buffer.alloc(0);

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.left < 0) at = this.readHead(bytes, at);
      else {
        const piece = new Uint8Array(bytes.subarray(at, at + this.left)); // a copy: unmasked in place
        at += piece.length;
        this.left -= piece.length;
        this.unmask(piece);
        this.take(piece);
      }
      if (this.left === 0) this.finish();
    }
  }

  private take(piece: Uint8Array): void {
    if (this.code < opcode.close) this.sink.data(piece);
    else this.control = Buffer.concat([this.control, piece]);
  }

  private finish(): void {
    this.left = -1;
    this.headFilled = 0;
    if (this.code < opcode.close) return;
    const payload = this.control;
    this.control = Buffer.alloc(0);
    this.sink.control(this.code, payload);
  }

  private unmask(piece: Uint8Array): void {
    for (let index = 0; index < piece.length; index++)
      piece[index] = (piece[index] ?? 0) ^ (this.mask[this.maskAt++ & 3] ?? 0);
  }

  private readHead(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.headFilled < this.headSize())
      this.head[this.headFilled++] = bytes[at++] ?? 0;
    if (this.headFilled < 2 || this.headFilled < this.headSize()) return at;
    this.parseHead();
    return at;
  }

  private headSize(): number {
    if (this.headFilled < 2) return 2;
    const second = this.head[1] ?? 0;
    if ((second & 0x80) === 0) throw new FrameError("a client's frame is not masked");
    const length = second & 0x7f;
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + 4;
  }

  private parseHead(): void {
    const [first = 0, second = 0] = this.head;
    const code = first & 0x0f;
    if ((first & 0x70) !== 0) throw new FrameError("a reserved bit is set");
    if (code > opcode.binary && (code < opcode.close || code > opcode.pong))
      throw new FrameError(`opcode ${code} is unknown`);
    const short = second & 0x7f;
    const long = short === 126 ? BigInt(this.head.readUInt16BE(2)) : this.head.readBigUInt64BE(2);
    const length = short < 126 ? short : Number(long);
    if (code >= opcode.close && (length > controlMax || (first & 0x80) === 0))
      throw new FrameError("a control frame is too long or cut in parts");
    if (!Number.isSafeInteger(length)) throw new FrameError("a frame is too long");
    this.code = code;
    this.left = length;
    this.maskAt = 0;
    this.head.copy(this.mask, 0, this.headFilled - 4, this.headFilled);
  }
}
