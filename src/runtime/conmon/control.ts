import { EngineError } from "../../lib/errors.ts";
import { writeFifo } from "../../system/files/fifo.ts";
import { inBundle } from "../paths.ts";

/** conmon's control fifo: lines of three numbers. Sizes over 1000 conmon refuses from 2.2 on. */
const resizeMessage = 1;
const reopenMessage = 2;
const sizeMax = 1000;

export interface TerminalSize {
  height: number;
  width: number;
}

const limited = (size: number): number => Math.max(0, Math.min(sizeMax, Math.trunc(size)));

const resizeLine = ({ height, width }: TerminalSize): string =>
  `${resizeMessage} ${limited(height)} ${limited(width)}\n`;

const reopenLine = `${reopenMessage} 0 0\n`;

function send(bundle: string, line: string): void {
  try {
    writeFifo(inBundle.control(bundle), line);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (code !== "ENOENT" && code !== "ENXIO") throw error;
    throw new EngineError("conflict", "the process has ended", { cause: error });
  }
}

export const resizeTerminal = (bundle: string, size: TerminalSize): void => send(bundle, resizeLine(size));

/** Makes conmon write on in a new log file. */
export const reopenLog = (bundle: string): void => send(bundle, reopenLine);
