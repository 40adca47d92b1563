import { closeSync, constants, openSync, writeSync } from "node:fs";

/**
 * Writes a short message into a fifo without ever waiting: `ENXIO` is thrown when nobody reads it, `EAGAIN` when it is
 * full. A write of up to 4096 bytes is whole or not at all (pipe(7)), so messages never mix.
 */
export function writeFifo(
  path: string,
  message: string | Uint8Array,
  between: () => void = () => undefined,
): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    between();
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    writeSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
