import { EngineError } from "./errors.ts";

/** Symbolic modes of chmod(1): `u=rwX,go=rX`, `+x`, `g=u`. Errors are `invalid`. */
interface Clause {
  /** bits of u, g, o (0o700, 0o070, 0o007 and set-id bits) that it may touch */
  who: number;
  operator: "+" | "-" | "=";
  permissions: string;
}

const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

export function parseFileMode(text: string): Clause[] {
  return text.split(",").flatMap((part) => {
    const [, who, actions] = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(part) ?? [];
    if (who === undefined || actions === undefined) throw new EngineError("invalid", "invalid syntax");
    const bits = [...(who || "a")].reduce((sum, letter) => sum | (whoBits[letter] ?? 0), 0);
    return [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator = "=", permissions = ""]) => ({
      who: bits,
      operator: operator as Clause["operator"],
      permissions,
    }));
  });
}

/** The permission bits (0–07777) after the change; no umask, as chmod(1) has with an explicit who. */
export function applyFileMode(clauses: readonly Clause[], mode: number, isFolder: boolean): number {
  return clauses.reduce((bits, { who, operator, permissions }) => {
    const wanted = permissionBits(permissions, bits, isFolder) & who;
    if (operator === "+") return bits | wanted;
    if (operator === "-") return bits & ~wanted;
    // set-id bits of a folder stay unless they are named
    const cleared = isFolder ? who & 0o1777 : who;
    return (bits & ~cleared) | wanted;
  }, mode & 0o7777);
}

function permissionBits(permissions: string, mode: number, isFolder: boolean): number {
  const copied = { u: mode >> 6, g: mode >> 3, o: mode }[permissions];
  if (copied !== undefined) return (copied & 7) * 0o111;
  let bits = 0;
  for (const letter of permissions) {
    if (letter === "r") bits |= 0o444;
    else if (letter === "w") bits |= 0o222;
    else if (letter === "x") bits |= 0o111;
    else if (letter === "X" && (isFolder || (mode & 0o111) !== 0)) bits |= 0o111;
    else if (letter === "s") bits |= 0o6000;
    else if (letter === "t") bits |= 0o1000;
  }
  return bits;
}
