import type { TarEntry } from "../../lib/tar/entry.ts";
import { utf8 } from "../../lib/tar/entry.ts";
import { CliError } from "../errors.ts";

/** Characters that make a part of a path a pattern. */
const special = /[*?[{]/;

/** The folder that a pattern begins with, and the pattern below it. */
export function splitPattern(path: string): { folder: string; pattern: string } {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new CliError(`a pattern may not go up: ${JSON.stringify(path)}`);
  const first = parts.findIndex((part) => special.test(part));
  if (first < 0) throw new CliError(`no pattern: ${JSON.stringify(path)}`);
  return { folder: `/${parts.slice(0, first).join("/")}`, pattern: parts.slice(first).join("/") };
}

interface EntrySink {
  entry(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
  end(): void;
}

/**
 * Passes on those entries of an archive that a pattern names: `*` and `?` within one name, `**` across folders, `[…]`,
 * `{a,b}`. A folder that matches comes with all in it; the folders above a match come before it. Names are compared as
 * they are in the archive, in which no link was followed, so that none leads anywhere else.
 */
export class GlobFilter implements EntrySink {
  matches = 0;
  private readonly glob: Bun.Glob;
  private readonly next: EntrySink;
  /** folders seen that have not been passed on, by name */
  private readonly held = new Map<string, TarEntry>();
  private readonly whole: string[] = [];
  private readonly passed = new Set<string>();
  private passing = false;

  constructor(pattern: string, next: EntrySink) {
    this.glob = new Bun.Glob(pattern);
    this.next = next;
  }

  entry(entry: TarEntry): void {
    const name = plain(utf8(entry.name));
    this.passing = name !== "" && this.wanted(name);
    if (this.passing) {
      if (entry.type === "hardlink" && !this.passed.has(plain(utf8(entry.linkName))))
        throw new CliError(
          `${name} is a link to ${plain(utf8(entry.linkName))}, which the pattern leaves out`,
        );
      this.above(name);
      if (entry.type === "directory") this.whole.push(`${name}/`);
      this.passed.add(name);
      this.matches++;
      this.next.entry(entry);
    } else if (entry.type === "directory") this.held.set(name, entry);
  }

  data(bytes: Uint8Array): void {
    if (this.passing) this.next.data(bytes);
  }

  end(): void {
    if (this.passing) this.next.end();
  }

  private wanted(name: string): boolean {
    return this.whole.some((folder) => name.startsWith(folder)) || this.glob.match(name);
  }

  private above(name: string): void {
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
      const folder = this.held.get(name.slice(0, at));
      if (!folder) continue;
      this.held.delete(name.slice(0, at));
      this.next.entry(folder);
      this.next.end();
    }
  }
}

const plain = (name: string): string => name.replace(/^(\.\/)+/, "").replace(/^\.$|\/+$/, "");
