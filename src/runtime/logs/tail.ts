import type { LogFile } from "./files.ts";
import { isComplete, lineKind, newline, payloadAt, streamOf } from "./line.ts";

const chunkSize = 256 * 1024;

interface LogPosition {
  /** index into the files, oldest first */
  file: number;
  offset: number;
}

/** Counts lines of the process from the end: pieces conmon split count as the one line they are. */
class BackwardCounter {
  private left: number;
  /** streams whose last line, met first, was not ended by the process */
  private readonly met = new Set<number>();

  constructor(lines: number) {
    this.left = lines;
  }

  /** Whether the line is beyond what was asked for. */
  takes(kind: number): boolean {
    if (kind === 0) return true;
    const stream = streamOf(kind);
    const startsOne = isComplete(kind) || !this.met.has(stream);
    this.met.add(stream);
    if (!startsOne) return true;
    return this.left-- > 0;
  }
}

/** Where the last `lines` lines of a log begin. Reads only as much of its end as that takes. */
export async function tailPosition(files: readonly LogFile[], lines: number): Promise<LogPosition> {
  const counter = new BackwardCounter(lines);
  for (let file = files.length - 1; file >= 0; file--) {
    const offset = await tailInFile(files[file], counter);
    if (offset !== undefined) return { file, offset };
  }
  return { file: 0, offset: 0 };
}

async function tailInFile(file: LogFile | undefined, counter: BackwardCounter): Promise<number | undefined> {
  if (!file) return undefined;
  let carried = Buffer.alloc(0); // the beginning of what was read, whose line starts before it
  for (let end = file.size; end > 0; ) {
    const start = Math.max(0, end - chunkSize);
    const chunk = Buffer.alloc(end - start);
    const { bytesRead } = await file.handle.read(chunk, 0, chunk.length, start);
    const bytes = Buffer.concat([chunk.subarray(0, bytesRead), carried]);
    const { stopAt, firstLine } = countBack(bytes, start === 0, counter);
    if (stopAt !== undefined) return start + stopAt;
    carried = Buffer.from(bytes.subarray(0, firstLine));
    end = start;
  }
  return undefined;
}

/** Counts the whole lines of `bytes` from its end; `firstLine` is where the first one that is whole begins. */
function countBack(
  bytes: Buffer,
  fromFileStart: boolean,
  counter: BackwardCounter,
): { stopAt?: number; firstLine: number } {
  let end = bytes.lastIndexOf(newline); // what follows it is still being written
  if (end < 0) return { firstLine: bytes.length };
  for (;;) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(newline, end - 1);
    if (before < 0 && !fromFileStart) return { firstLine: end + 1 };
    const start = before + 1;
    const kind = end - start < payloadAt ? 0 : lineKind(bytes, start);
    if (!counter.takes(kind)) return { stopAt: end + 1, firstLine: end + 1 };
    if (before < 0) return { firstLine: 0 };
    end = before;
  }
}
