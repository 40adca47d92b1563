import { EngineError } from "../errors.ts";

const named: Record<string, number> = {
  "ctrl-@": 0,
  "ctrl-[": 27,
  "ctrl-\\": 28,
  "ctrl-]": 29,
  "ctrl-^": 30,
  "ctrl-_": 31,
};

export const defaultDetachKeys = "ctrl-p,ctrl-q";

/** Bytes of a detach sequence such as `ctrl-p,ctrl-q` or `a,ctrl-x`. Throws `invalid` in Docker's words. */
export function parseDetachKeys(text: string): Uint8Array {
  const bytes = text.split(",").map((key) => {
    if (/^[\0-\x7f]$/.test(key)) return key.charCodeAt(0);
    if (key === "DEL") return 127;
    const letter = /^ctrl-([a-z])$/.exec(key)?.[1];
    const byte = letter === undefined ? named[key] : letter.charCodeAt(0) - 96;
    if (byte === undefined) throw new EngineError("invalid", `Invalid detach keys (${text}) provided`);
    return byte;
  });
  return Uint8Array.from(bytes);
}

/**
 * Watches a client's input for the sequence. Bytes that may begin it are held back until it is complete (`detached`) or
 * broken (then they are passed on).
 */
export class DetachFilter {
  private readonly keys: Uint8Array;
  private matched = 0;

  constructor(keys: Uint8Array) {
    this.keys = keys;
  }

  push(input: Uint8Array): { pass: Uint8Array; detached: boolean } {
    if (this.keys.length === 0) return { pass: input, detached: false };
    const pass: number[] = [];
    for (const byte of input) {
      if (byte === this.keys[this.matched]) {
        this.matched++;
        if (this.matched === this.keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      for (let index = 0; index < this.matched; index++) pass.push(this.keys[index] ?? 0);
      this.matched = byte === this.keys[0] ? 1 : 0;
      if (this.matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
