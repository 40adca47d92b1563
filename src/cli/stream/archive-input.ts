import { createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";
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
  return fileBody(path);
}

/** A file's bytes. What cannot be opened is told at once, as is a folder. */
export async function fileBody(path: string): Promise<AsyncIterable<Uint8Array>> {
  let isFolder: boolean;
  try {
    await access(path);
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError("open", path, error);
  }
  if (isFolder) throw fileError("read", path, { code: "EISDIR" });
  return createReadStream(path, { highWaterMark: 1 << 20 });
}
