/** How two images of one Dockerfile differ: files, owners, modes, times that were kept, and configuration. */
import { isDeepStrictEqual } from "node:util";
import type { ImageConfig } from "../../src/types/oci.ts";
import type { ImageContents, ImageFile } from "./image-files.ts";

export interface Difference {
  /** a path, or a member of the configuration */
  where: string;
  what: string;
}

const told = ["type", "mode", "uid", "gid", "size", "digest", "link", "device", "xattrs"] as const;

/**
 * Times are compared where the build kept them: those before `since` (seconds), when the builds began. What a step
 * makes has the time of its making.
 */
export function compareImages(one: ImageContents, other: ImageContents, since: number): Difference[] {
  const paths = [...new Set([...one.files.keys(), ...other.files.keys()])].sort();
  return [
    ...paths.flatMap((path) => compareFiles(path, one.files.get(path), other.files.get(path), since)),
    ...compareConfigs(one.config, other.config),
  ];
}

function compareFiles(
  path: string,
  one: ImageFile | undefined,
  other: ImageFile | undefined,
  since: number,
): Difference[] {
  const where = JSON.stringify(path);
  if (one === undefined || other === undefined)
    return [{ where, what: `only in the ${one === undefined ? "second" : "first"}` }];
  const found: Difference[] = told
    .filter((member) => one[member] !== other[member])
    .map((member) => ({ where, what: `${member} ${show(member, one)} | ${show(member, other)}` }));
  const [names, others] = [[...one.names].sort().join(" "), [...other.names].sort().join(" ")];
  if (names !== others) found.push({ where, what: `linked as ${names} | ${others}` });
  if (one.mtime !== other.mtime && Math.min(one.mtime, other.mtime) < since)
    found.push({ where, what: `mtime ${one.mtime} | ${other.mtime}` });
  return found;
}

const textOf = (config: ImageConfig): string => JSON.stringify({ ...config, rootfs: "layers" });

const show = (member: (typeof told)[number], file: ImageFile): string =>
  member === "mode" ? file.mode.toString(8) : String(file[member]);

function compareConfigs(one: ImageConfig, other: ImageConfig): Difference[] {
  const found: Difference[] = [];
  const compare = (where: string, left: unknown, right: unknown): void => {
    if (!isDeepStrictEqual(left, right))
      found.push({ where, what: `${JSON.stringify(left)} | ${JSON.stringify(right)}` });
  };
  const members = (value: object): string[] => Object.keys(value);
  for (const key of new Set([...members(one.config ?? {}), ...members(other.config ?? {})]))
    compare(`config.${key}`, one.config?.[key as "Env"], other.config?.[key as "Env"]);
  for (const key of new Set([...members(one), ...members(other)]))
    if (!["config", "history", "rootfs"].includes(key)) compare(key, one[key as "os"], other[key as "os"]);
  const steps = (config: ImageConfig): unknown[] =>
    (config.history ?? []).map(({ created_by, empty_layer, comment, author, created }) => [
      created_by,
      empty_layer,
      comment,
      author,
      created,
    ]);
  const [left, right] = [steps(one), steps(other)];
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    compare(`history[${at}]`, left[at], right[at]);
  compare("layers", one.rootfs.diff_ids.length, other.rootfs.diff_ids.length);
  // the same members also in the same order: an image's ID is the digest of these bytes
  if (found.length === 0) compare("bytes of the configuration", textOf(one), textOf(other));
  return found;
}
