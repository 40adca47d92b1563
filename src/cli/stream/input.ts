import { isTerminal } from "../stdio.ts";

const chunkBytes = 64 << 10;

/** stdin in chunks. Reads are made one at a time in the thread pool, so that nothing is taken before it is wanted. */
export async function* openInput(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(chunkBytes);
  for (;;) {
    const length = await readOnce(buffer);
    if (length === 0) return;
    yield Uint8Array.prototype.slice.call(buffer, 0, length);
  }
}

async function readOnce(buffer: Buffer): Promise<number> {
  const { read } = await import("node:fs"); // 2 ms to load: only who reads stdin pays
  return new Promise((resolve, reject) => {
    read(0, buffer, 0, buffer.length, null, (error, length) => {
      if (!error) return resolve(length);
      const { code } = error as { code?: string };
      if (code === "EOF" || code === "EIO") return resolve(0);
      if (code !== "EAGAIN") return reject(error);
      setTimeout(() => readOnce(buffer).then(resolve, reject), 5); // a non-blocking terminal or pipe with nothing in it
    });
  });
}

/** Sets the terminal on stdin to pass every key on; answers how to set it back. Nothing happens without a terminal. */
export function rawMode(): (() => void) | undefined {
  if (!isTerminal(0)) return undefined;
  const { ReadStream } = require("node:tty") as typeof import("node:tty");
  const terminal = new ReadStream(0);
  terminal.pause();
  terminal.setRawMode(true);
  return () => {
    terminal.setRawMode(false);
  };
}
