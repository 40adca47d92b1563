import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";

/**
 * What node:zlib's own synchronous calls are made of (`zlib.gunzipSync`): one step into memory of the caller's. The
 * public calls make new memory for all that comes out, which costs a page fault for every 4 KB and waits for the garbage
 * collector. The executable brings its own runtime, so that this is as fixed as the rest of it; `inflate.test.ts` holds it.
 */
interface Handle {
  writeSync(
    flush: number,
    from: Uint8Array,
    fromOffset: number,
    fromLength: number,
    into: Uint8Array,
    intoOffset: number,
    intoLength: number,
  ): void;
  onerror: (message: string, number: number, code: string) => void;
  close(): void;
}

interface Inside {
  _handle: Handle;
  /** after a step: bytes of `into` that are left, bytes of `from` that are */
  _writeState: Uint32Array;
}

const outputBytes = 256 * 1024;

/** A failure of zlib's, with its code as node:zlib names it. */
export class InflateError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Undoes gzip or zstd in the calling thread, in one piece of memory: for threads that have nothing else to do. What is
 * yielded is good until the next is asked for; what is given may be memory that others see, and is not looked at later.
 */
export class Inflater {
  private readonly inside: Inside;
  private readonly finish: number;
  private readonly output = new Uint8Array(outputBytes);
  private error: InflateError | undefined;

  constructor(compression: "gzip" | "zstd") {
    const stream: Gunzip | ZstdDecompress = compression === "gzip" ? createGunzip() : createZstdDecompress();
    this.finish = compression === "gzip" ? constants.Z_FINISH : constants.ZSTD_e_end;
    this.inside = stream as unknown as Inside;
    this.inside._handle.onerror = (message, _, code) => {
      this.error = new InflateError(message, code);
    };
  }

  push(bytes: Uint8Array): Generator<Uint8Array> {
    return this.step(bytes, 0);
  }

  /** Throws where the input is not over. */
  end(): Generator<Uint8Array> {
    return this.step(new Uint8Array(0), this.finish);
  }

  close(): void {
    this.inside._handle.close();
  }

  private *step(bytes: Uint8Array, flush: number): Generator<Uint8Array> {
    const { output, inside } = this;
    let left = bytes.length;
    for (let full = true; full; ) {
      inside._handle.writeSync(flush, bytes, bytes.length - left, left, output, 0, output.length);
      if (this.error !== undefined) throw this.error;
      const [room = 0, rest = 0] = inside._writeState;
      left = rest;
      full = room === 0;
      if (room < output.length) yield output.subarray(0, output.length - room);
    }
  }
}
