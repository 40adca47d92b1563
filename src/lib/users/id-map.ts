import { EngineError } from "../errors.ts";

/** `count` ids from `disk` on, as the file system has them, are seen as those from `seen` on. */
export interface IdRange {
  disk: number;
  seen: number;
  count: number;
}

export interface IdMap {
  uids: IdRange[];
  gids: IdRange[];
}

const rangesMax = 64;
const idMax = 2 ** 32 - 1;

/**
 * Reads the option `idmap` of a bind: `uids=1000-0-1#2000-1-100;gids=1000-0-1`, each range `on disk-seen-count`; ranges
 * without a word before them are for both. Throws `invalid`.
 */
export function parseIdMap(text: string): IdMap {
  const bad = (why: string): EngineError =>
    new EngineError("invalid", `invalid idmap ${JSON.stringify(text)}: ${why}`);
  const map: IdMap = { uids: [], gids: [] };
  for (const part of text.split(";").filter((one) => one !== "")) {
    const [, word = "", ranges = ""] = /^(?:(uids|gids)=)?(.+)$/s.exec(part) ?? [];
    const read = ranges.split("#").map((range) => readRange(range, bad));
    if (word !== "gids") map.uids.push(...read);
    if (word !== "uids") map.gids.push(...read);
  }
  if (map.uids.length === 0 || map.gids.length === 0) throw bad("users and groups both need a range");
  for (const ranges of [map.uids, map.gids]) {
    if (ranges.length > rangesMax) throw bad(`over ${rangesMax} ranges`);
    if (overlap(ranges, ({ disk }) => disk) || overlap(ranges, ({ seen }) => seen))
      throw bad("ranges overlap");
  }
  return map;
}

function readRange(text: string, bad: (why: string) => EngineError): IdRange {
  const match = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(text);
  if (!match) throw bad(`${JSON.stringify(text)} is no range: on disk-seen-count`);
  const [disk = 0, seen = 0, count = 0] = match.slice(1).map(Number);
  if (count === 0 || disk + count > idMax || seen + count > idMax)
    throw bad(`${text} is out of the range of ids`);
  return { disk, seen, count };
}

function overlap(ranges: readonly IdRange[], start: (range: IdRange) => number): boolean {
  const sorted = [...ranges].sort((a, b) => start(a) - start(b));
  return sorted.some((range, at) => {
    const before = sorted[at - 1];
    return before !== undefined && start(before) + before.count > start(range);
  });
}

/** As `parseIdMap` reads it. */
export const formatIdMap = ({ uids, gids }: IdMap): string => {
  const text = (ranges: readonly IdRange[]): string =>
    ranges.map(({ disk, seen, count }) => `${disk}-${seen}-${count}`).join("#");
  return `uids=${text(uids)};gids=${text(gids)}`;
};

/** How an id of the disk (or of a container) is seen (on the host); undefined where the map has none. */
export const seenAs = (ranges: readonly IdRange[], id: number): number | undefined =>
  shifted(ranges, id, "disk", "seen");

/** The other way round. */
export const onDisk = (ranges: readonly IdRange[], id: number): number | undefined =>
  shifted(ranges, id, "seen", "disk");

function shifted(
  ranges: readonly IdRange[],
  id: number,
  from: "disk" | "seen",
  to: "disk" | "seen",
): number | undefined {
  for (const range of ranges) {
    const offset = id - range[from];
    if (offset >= 0 && offset < range.count) return range[to] + offset;
  }
  return undefined;
}

export interface Owner {
  uid: number;
  gid: number;
}

/** What a container's root is on the host. */
export const mappedRoot = ({ uids, gids }: IdMap): Owner => ({
  uid: seenAs(uids, 0) ?? overflowId,
  gid: seenAs(gids, 0) ?? overflowId,
});

/** What the kernel shows for an id that a map lacks. */
export const overflowId = 65534;

/** The kernel's limit of lines in a map is 340; the engine adds two of its own to show its files by it. */
const subidRangesMax = 338;

/**
 * The ranges that `/etc/subuid` or `/etc/subgid` gives to a user, by name or number, as ids of containers from 0 on:
 * subuid(5). Lines that do not fit are passed over.
 */
export function subordinateRanges(text: string, names: readonly string[]): IdRange[] {
  const ranges: IdRange[] = [];
  let disk = 0;
  for (const line of text.split("\n")) {
    const [, name = "", first = "", length = ""] = /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    const [seen, count] = [Number(first), Number(length)];
    if (!names.includes(name) || count === 0 || seen + count > idMax || disk + count > idMax) continue;
    ranges.push({ disk, seen, count });
    disk += count;
    if (ranges.length === subidRangesMax) break;
  }
  return ranges;
}
