/**
 * A new object id: 64 hex digits, never all digits in its first twelve (tools read those as numbers). By the global
 * `crypto`: the client loads this file for `shortId`, and `node:crypto` would cost it 3 ms.
 */
export function newId(): string {
  for (;;) {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);
