import type { BuildHistoryLog } from "../contract.ts";

/** Of what a build's steps printed the newest is kept, bytes. */
const keptMax = 1 << 20;

interface Piece {
  vertex: string;
  stream: 1 | 2;
  time: number;
  data: Uint8Array;
}

/** Keeps the end of what a build's steps print. */
export class LogKeeper {
  private pieces: Piece[] = [];
  private bytes = 0;

  add(piece: Piece): void {
    this.pieces.push(piece);
    this.bytes += sizeOf(piece);
    if (this.bytes > 2 * keptMax) this.trim();
  }

  /** `steps`: the vertices of the record, in its order. */
  logs(steps: readonly string[]): BuildHistoryLog[] {
    this.trim();
    const indexes = new Map(steps.map((digest, index) => [digest, index]));
    return this.pieces.flatMap(({ vertex, stream, time, data }) => {
      const step = indexes.get(vertex);
      return step === undefined ? [] : [{ step, stream, time, data: Buffer.from(data).toString("base64") }];
    });
  }

  /** Twice as much is let grow, so that trimming costs little for each piece. */
  private trim(): void {
    let first = 0;
    for (const piece of this.pieces) {
      if (this.bytes <= keptMax) break;
      this.bytes -= sizeOf(piece);
      first++;
    }
    this.pieces = this.pieces.slice(first);
  }
}

/** With what a piece costs beside its bytes. */
const sizeOf = ({ data }: Piece): number => data.length + 64;
