import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a runtime that is our own child writes what went wrong. */
export const log = (bundle: string): string => join(bundle, "log");

/** The runtime's own words: there where it failed before the process ran. */
export async function complaintIn(bundle: string): Promise<string> {
  try {
    return (await readFile(log(bundle), "utf8")).trim();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return "";
    throw error;
  }
}
