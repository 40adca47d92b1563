import { mkdir, open } from "node:fs/promises";
import { resolve } from "node:path";
import { fileError } from "../run/key-value-files.ts";
import { writeOut } from "../stdio.ts";
import { buildError } from "./failure.ts";
import type { Output } from "./options/outputs.ts";

interface Target {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Writes what the engine sends of outputs: to stdout, to a file, or unpacked below a folder. */
export class OutputFiles {
  private readonly outputs: readonly Output[];
  private readonly targets = new Map<number, Promise<Target>>();

  constructor(outputs: readonly Output[]) {
    this.outputs = outputs;
  }

  async write(index: number, bytes: Uint8Array): Promise<void> {
    const output = this.outputs[index];
    if (output?.dest === undefined) return;
    const target = this.targets.get(index) ?? openTarget(output, output.dest);
    this.targets.set(index, target);
    await (await target).write(bytes);
  }

  /** After the last byte: everything is written. */
  async end(): Promise<void> {
    for (const target of this.targets.values()) await (await target).end();
  }
}

async function openTarget({ type, unpacked = type === "local" }: Output, dest: string): Promise<Target> {
  if (dest === "-") return { write: (bytes) => writeOut(1, bytes), end: () => Promise.resolve() };
  if (unpacked) return folderTarget(dest);
  try {
    const file = await open(resolve(dest), "w", 0o644);
    return { write: async (bytes) => void (await file.write(bytes)), end: () => file.close() };
  } catch (error) {
    throw buildError(`failed to open ${fileError("open", dest, error).message}`);
  }
}

/** Bytes that wait for the unpacking. */
const waitingMax = 64;

async function folderTarget(dest: string): Promise<Target> {
  const folder = resolve(dest);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw buildError(fileError("mkdir", dest, error).message);
  }
  const { unpack } = await import("../copy/unpack.ts");
  const queue = new ByteQueue();
  const done = unpack(queue, { folder, rename: undefined, replaces: true }, false);
  // told by `end`, which comes later
  done.catch(() => queue.close());
  return {
    write: (bytes) => queue.push(bytes),
    end: async () => {
      queue.close();
      await done;
    },
  };
}

/** Hands pieces from who writes to who reads; the writer waits while too many lie there. */
class ByteQueue implements AsyncIterable<Uint8Array> {
  private readonly pieces: Uint8Array[] = [];
  private closed = false;
  private changed: () => void = () => undefined;

  async push(bytes: Uint8Array): Promise<void> {
    this.pieces.push(Uint8Array.prototype.slice.call(bytes));
    this.changed();
    while (this.pieces.length > waitingMax && !this.closed) await this.change();
  }

  close(): void {
    this.closed = true;
    this.changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.pieces.shift();
      if (piece !== undefined) {
        this.changed();
        yield piece;
      } else if (this.closed) return;
      else await this.change();
    }
  }

  private change(): Promise<void> {
    const before = this.changed;
    return new Promise((resolve) => {
      this.changed = () => {
        before();
        resolve();
      };
    });
  }
}
