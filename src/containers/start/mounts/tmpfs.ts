import { EngineError } from "../../../lib/errors.ts";

/** Flags of a tmpfs mount and their opposites: a later one takes the place of an earlier. */
const opposites = [
  ["ro", "rw"],
  ["exec", "noexec"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["atime", "noatime"],
  ["diratime", "nodiratime"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
  ["sync", "async"],
  ["mand", "nomand"],
  ["rbind", "bind"],
] as const;
const propagations = [
  "private",
  "rprivate",
  "shared",
  "rshared",
  "slave",
  "rslave",
  "unbindable",
  "runbindable",
];
const others = ["defaults", "remount", "dirsync"];
const valued = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

const groupOf = (option: string): string => {
  const pair = opposites.find((one) => (one as readonly string[]).includes(option));
  if (pair) return pair[0];
  return propagations.includes(option) ? "propagation" : option;
};

/** Options of `--tmpfs /t:size=1m,exec` over the defaults noexec, nosuid, nodev. Refuses what no tmpfs knows. */
export function tmpfsOptions(given: string): string[] {
  const chosen = new Map<string, string>();
  for (const option of [
    "noexec",
    "nosuid",
    "nodev",
    "rprivate",
    ...given.split(",").filter((one) => one !== ""),
  ]) {
    const [key = "", value] = option.split("=", 2);
    const known =
      value === undefined
        ? opposites.some((one) => (one as readonly string[]).includes(key)) ||
          propagations.includes(key) ||
          others.includes(key)
        : valued.includes(key);
    if (!known) throw new EngineError("invalid", `invalid tmpfs option "${key}"`);
    const group = groupOf(key);
    chosen.delete(group);
    if (key !== "defaults") chosen.set(group, option);
  }
  return [...chosen.values()];
}
