/** Which paths of a tree a copy leaves out: those of an ignore file, and those of `--exclude`. */
export interface Filter {
  /** whether this path (`a/b`, text) itself is left out */
  excludes(path: string): boolean;
  /** whether nothing below this left-out folder can be in again */
  prunes(path: string): boolean;
}

export const everything: Filter = { excludes: () => false, prunes: () => false };
