import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../../lib/errors.ts";
import { canonical, type Reference } from "../../../../lib/image/reference.ts";
import { errnoText } from "../../../../lib/text/errno-text.ts";
import { CliError } from "../../../errors.ts";
import type { Session } from "../../../session.ts";
import { entryText, type LocalManifest, parseEntry } from "./entry.ts";

/**
 * Lists that wait to be pushed: `manifests/<list>/<image>` of the configuration's folder, shared with docker's client.
 * A reference has no `/` of its own after this, nor is it ever `.` or `..`, as it begins with a registry's name.
 */
export const fileName = (reference: Reference): string =>
  canonical(reference).replaceAll(":", "-").replaceAll("/", "_");

const listFolder = (session: Session, list: Reference): string =>
  join(session.configFolder, "manifests", fileName(list));

const missing = (reference: Reference): CliError => new CliError(`No such manifest: ${canonical(reference)}`);

/** What a call on files under `path` gives, undefined where there are none; other errors in Go's words. */
function attempt<T>(path: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (code === "ENOENT") return undefined;
    throw new CliError(`open ${path}: ${errnoText(code) ?? messageOf(error)}`, 1, { cause: error });
  }
}

/** One image of a list, undefined where it has none of that name. */
export function findEntry(session: Session, list: Reference, image: Reference): LocalManifest | undefined {
  const path = join(listFolder(session, list), fileName(image));
  const text = attempt(path, () => readFileSync(path, "utf8"));
  if (text === undefined) return undefined;
  const entry = parseEntry(text, path);
  // docker's names of files are the same for r/a/b and r/a_b
  if (entry.Ref !== canonical(image)) throw new CliError(`${path} is the manifest of ${entry.Ref}`);
  return entry;
}

export function readEntry(session: Session, list: Reference, image: Reference): LocalManifest {
  const entry = findEntry(session, list, image);
  if (!entry) throw missing(image);
  return entry;
}

/** A list's images in the order of their files' names; undefined where there is no such list. */
export function findList(session: Session, list: Reference): LocalManifest[] | undefined {
  const folder = listFolder(session, list);
  const names = attempt(folder, () => readdirSync(folder));
  return names?.sort(byBytes).flatMap((name) => {
    const path = join(folder, name);
    const text = attempt(path, () => readFileSync(path, "utf8"));
    return text === undefined ? [] : [parseEntry(text, path)];
  });
}

export function readList(session: Session, list: Reference): LocalManifest[] {
  const entries = findList(session, list);
  if (!entries) throw missing(list);
  return entries;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export function saveEntry(session: Session, list: Reference, image: Reference, entry: LocalManifest): void {
  const folder = listFolder(session, list);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  // not in the folder, where a client would take what a kill leaves for an image
  const temporary = join(session.configFolder, "manifests", `.new-${process.pid}`);
  writeFileSync(temporary, entryText(entry), { mode: 0o644 });
  renameSync(temporary, join(folder, fileName(image)));
}

export function removeList(session: Session, list: Reference): void {
  rmSync(listFolder(session, list), { recursive: true, force: true });
}
