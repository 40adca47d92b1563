import { randomBytes } from "node:crypto";
import type { LogMessage } from "../../lib/log-codecs/message.ts";
import { isComplete, lineKind, lineTimeNs, newline, payloadAt, streamOf } from "../logs/line.ts";

/** longer lines are handed on in parts of this size, as Docker's are */
const partSize = 16 * 1024;

/** What a stream has said without ending the line. */
interface Begun {
  /** base64 */
  text: string;
  timeNs: string;
  /** parts of the line that were handed on already */
  partId?: string;
  parts: number;
}

/** State between two reads: a stream's unfinished line. It is kept with the position, so that nothing is read twice. */
export type AssemblerState = Partial<Record<1 | 2, Begun>>;

interface Pending {
  bytes: Buffer;
  timeNs: bigint;
  partId: string | undefined;
  parts: number;
}

/** Makes the process's lines of conmon's, which splits them where it likes. */
export class MessageAssembler {
  private readonly pending = new Map<1 | 2, Pending>();

  constructor(state: AssemblerState = {}) {
    for (const stream of [1, 2] as const) {
      const begun = state[stream];
      if (!begun) continue;
      this.pending.set(stream, {
        bytes: Buffer.from(begun.text, "base64"),
        timeNs: BigInt(begun.timeNs),
        partId: begun.partId,
        parts: begun.parts,
      });
    }
  }

  get state(): AssemblerState {
    const state: AssemblerState = {};
    for (const [stream, { bytes, timeNs, partId, parts }] of this.pending)
      state[stream] = {
        text: bytes.toString("base64"),
        timeNs: String(timeNs),
        parts,
        ...(partId === undefined ? {} : { partId }),
      };
    return state;
  }

  /** The messages in `bytes`, and how many of its bytes are whole lines of the file. */
  push(bytes: Buffer): { messages: LogMessage[]; taken: number } {
    const messages: LogMessage[] = [];
    let at = 0;
    for (;;) {
      const end = bytes.indexOf(newline, at);
      if (end < 0) return { messages, taken: at };
      this.line(bytes, at, end, messages);
      at = end + 1;
    }
  }

  /** What the process never ended. */
  end(): LogMessage[] {
    const messages: LogMessage[] = [];
    for (const [stream, pending] of this.pending)
      if (pending.bytes.length > 0) messages.push(part(stream, pending, pending.bytes, false));
    this.pending.clear();
    return messages;
  }

  private line(bytes: Buffer, at: number, end: number, messages: LogMessage[]): void {
    const kind = end - at < payloadAt ? 0 : lineKind(bytes, at);
    if (kind === 0) return; // cut off by a crash, or not conmon's
    const stream = streamOf(kind);
    const timeNs = lineTimeNs(bytes, at);
    const payload = bytes.subarray(at + payloadAt, end);
    const before = this.pending.get(stream);
    if (!before && isComplete(kind) && payload.length <= partSize) {
      messages.push({ stream, timeNs, line: payload });
      return;
    }
    const pending: Pending = before ?? { bytes: Buffer.alloc(0), timeNs, partId: undefined, parts: 0 };
    pending.bytes = Buffer.concat([pending.bytes, payload]);
    pending.timeNs = timeNs;
    while (pending.bytes.length > partSize || (pending.bytes.length === partSize && !isComplete(kind))) {
      messages.push(part(stream, pending, pending.bytes.subarray(0, partSize), false));
      pending.bytes = Buffer.from(pending.bytes.subarray(partSize));
    }
    if (!isComplete(kind)) {
      this.pending.set(stream, pending);
      return;
    }
    this.pending.delete(stream);
    messages.push(
      pending.parts === 0
        ? { stream, timeNs, line: pending.bytes }
        : part(stream, pending, pending.bytes, true),
    );
  }
}

function part(stream: 1 | 2, pending: Pending, line: Buffer, last: boolean): LogMessage {
  pending.partId ??= randomBytes(32).toString("hex");
  pending.parts++;
  return {
    stream,
    timeNs: pending.timeNs,
    line,
    partial: { id: pending.partId, ordinal: pending.parts, last },
  };
}
