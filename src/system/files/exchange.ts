import { bindLibc, check, cString } from "../libc.ts";

/** glibc ≥ 2.28 */
const { renameat2 } = bindLibc({
  renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
});

const cwd = -100;
const exchangeFlag = 2;

/** Makes two names change places in one step: rename(2), RENAME_EXCHANGE. */
export function exchange(one: string, other: string): void {
  const result = renameat2(cwd, cString(one), cwd, cString(other), exchangeFlag);
  check(result, `exchange ${one} and ${other}`);
}
