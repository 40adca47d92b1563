/**
 * The `-o` text of mount(8) as mount(2) takes it: words that are flags of the kernel's, and the rest as data for the
 * file system. Constants: mount(2), include/uapi/linux/mount.h.
 */
interface MountOptions {
  flags: number;
  data: string;
  /** flags of propagation, set by a call of their own; 0 = none */
  propagation: number;
}

export const mountFlags = { readOnly: 1, remount: 0x20, bind: 0x1000 } as const;

const recursive = 0x4000;

/** word: [flag, whether it takes the flag away] */
const words: Readonly<Record<string, [flag: number, clears?: true]>> = {
  defaults: [0],
  ro: [mountFlags.readOnly],
  rw: [mountFlags.readOnly, true],
  nosuid: [2],
  suid: [2, true],
  nodev: [4],
  dev: [4, true],
  noexec: [8],
  exec: [8, true],
  sync: [0x10],
  async: [0x10, true],
  remount: [mountFlags.remount],
  mand: [0x40],
  nomand: [0x40, true],
  dirsync: [0x80],
  noatime: [0x400],
  atime: [0x400, true],
  nodiratime: [0x800],
  diratime: [0x800, true],
  bind: [mountFlags.bind],
  rbind: [mountFlags.bind | recursive],
  relatime: [0x200000],
  norelatime: [0x200000, true],
  strictatime: [0x1000000],
  nostrictatime: [0x1000000, true],
};

const propagations: Readonly<Record<string, number>> = {
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
};

export function parseMountOptions(text: string): MountOptions {
  const options: MountOptions = { flags: 0, data: "", propagation: 0 };
  const data: string[] = [];
  for (const word of text.split(",")) {
    const known = Object.hasOwn(words, word) ? words[word] : undefined;
    const spread = propagationOf(word);
    if (known) options.flags = known[1] ? options.flags & ~known[0] : options.flags | known[0];
    else if (spread !== undefined) options.propagation |= spread;
    else if (word !== "") data.push(word);
  }
  options.data = data.join(",");
  return options;
}

/** `rslave` is `slave` for all that is mounted below, too. */
function propagationOf(word: string): number | undefined {
  if (Object.hasOwn(propagations, word)) return propagations[word];
  const plain = word.startsWith("r") ? word.slice(1) : "";
  return Object.hasOwn(propagations, plain) ? (propagations[plain] ?? 0) | recursive : undefined;
}
