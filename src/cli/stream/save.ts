import { lstatSync, type Stats, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { HttpResponse } from "../../client/http.ts";
import { CliError } from "../errors.ts";
import { isTerminal, writeOut } from "../stdio.ts";

/** Writes an answer's body to a file, which appears whole or not at all, or to stdout unless that is a terminal. */
export async function saveTo(
  path: string,
  what: "export" | "save",
  request: () => Promise<HttpResponse>,
): Promise<void> {
  if (path === "") {
    if (isTerminal(1))
      throw new CliError("cowardly refusing to save to a terminal. Use the -o flag or redirect");
    for await (const chunk of (await request()).body) await writeOut(1, chunk);
    return;
  }
  checkPath(path, what);
  const { body } = await request();
  const temporary = `${path}.tmp-${process.pid}`;
  const file = await open(temporary, "wx", 0o600); // one that is there already is not ours to remove
  try {
    try {
      for await (const chunk of body) await file.write(chunk);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The file takes the path's place: what is there may only be a file, never the machine's /dev/null. */
function checkPath(path: string, what: string): void {
  const failed = (reason: string): CliError =>
    new CliError(`failed to ${what} ${what === "save" ? "image" : "container"}: ${reason}`);
  const folder = dirname(path);
  const above = statSync(folder, { throwIfNoEntry: false });
  if (!above) throw failed(`invalid output path: stat ${folder}: no such file or directory`);
  if (!above.isDirectory()) throw failed(`invalid output path: stat ${folder}: not a directory`);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) throw failed(`cannot write to a ${kindOf(there)}`);
}

function kindOf(there: Stats): string {
  if (there.isDirectory()) return "directory";
  if (there.isSymbolicLink()) return "symbolic link directly";
  if (there.isFIFO()) return "named pipe (FIFO)";
  if (there.isSocket()) return "socket";
  return there.isCharacterDevice() ? "character device file" : "block device file";
}
