import { existsSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { isKind } from "../../lib/errors.ts";
import { reopenLog } from "../conmon/control.ts";
import { rotatedNumbers, rotatedPath } from "./files.ts";

const reopenedMs = 2000;

/**
 * Throws a log away. Where `bundle` names a process that still writes, its file is put aside and conmon told to open a
 * new one: what it writes until then goes too, what it writes after that stays, and no line is cut. Followers go on
 * with the new file.
 */
export async function clearLog(logPath: string, bundle: string | undefined): Promise<void> {
  const aside = `${logPath}.cleared`;
  if (bundle !== undefined && existsSync(logPath)) {
    // nothing may come between these two: conmon would go on in a file that nobody reads
    renameSync(logPath, aside);
    if (reopen(bundle)) await appears(logPath);
  }
  if (bundle === undefined) await rm(logPath, { force: true });
  for (const number of await rotatedNumbers(logPath)) await rm(rotatedPath(logPath, number), { force: true });
  await rm(aside, { force: true });
}

/** Whether there is a conmon to open a new file. */
function reopen(bundle: string): boolean {
  try {
    reopenLog(bundle);
    return true;
  } catch (error) {
    if (isKind(error, "conflict")) return false; // it has ended just now
    throw error;
  }
}

async function appears(path: string): Promise<void> {
  for (let waitMs = 1, left = reopenedMs; left > 0 && !existsSync(path); left -= waitMs, waitMs *= 2)
    await Bun.sleep(waitMs);
}
