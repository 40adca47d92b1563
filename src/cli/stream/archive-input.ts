import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { CliError } from "../errors.ts";
import { fileError } from "../run/key-value-files.ts";
import { isTerminal } from "../stdio.ts";
import { openInput } from "./input.ts";

/** An archive for the engine: a file's bytes, or with "" those of stdin, unless that is a terminal. */
export async function archiveFrom(path: string, doing: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === "") {
    if (isTerminal(0)) throw new CliError(`requested ${doing} from stdin, but stdin is empty`);
    return openInput();
  }
  try {
    await access(path);
  } catch (error) {
    throw fileError("open", path, error);
  }
  return createReadStream(path, { highWaterMark: 1 << 20 });
}
