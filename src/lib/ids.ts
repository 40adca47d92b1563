import { randomBytes } from "node:crypto";

/** A new object id: 64 hex digits, never all digits in its first twelve (tools read those as numbers). */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);
