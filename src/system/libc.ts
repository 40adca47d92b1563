import { dlopen, type FFIFunction, read } from "bun:ffi";
import { constants } from "node:os";
import { EngineError } from "../lib/errors.ts";

/** by this thread, where it is a Worker */
const opened: { close(): void }[] = [];

/**
 * The door to libc. Each file of this folder binds just the functions it needs with `bindLibc` and offers typed
 * functions that throw `SystemError`; nothing outside `system` sees a pointer. A call that can block for over a
 * millisecond must be made in a Worker.
 */
export const bindLibc = <Symbols extends Record<string, FFIFunction>>(symbols: Symbols) =>
  bindLibrary("libc.so.6", symbols);

/** Functions of another library, by the name its loader knows. */
export function bindLibrary<Symbols extends Record<string, FFIFunction>>(name: string, symbols: Symbols) {
  const library = dlopen(name, symbols);
  if (!Bun.isMainThread) closeAtExit(library);
  return library.symbols;
}

/** What calls the functions is not freed with a Worker, 200 bytes each: it is closed as the last thing the Worker does. */
function closeAtExit(library: { close(): void }): void {
  if (opened.length === 0)
    process.once("exit", () => {
      for (const each of opened) each.close();
    });
  opened.push(library);
}

const { __errno_location } = bindLibc({ __errno_location: { args: [], returns: "ptr" } });

/** errno of the last failed call on this thread: read it before any other call. */
export const errno = (): number => read.i32(__errno_location() as never, 0);

/** second names of numbers that the callers know by the first: 11 is EAGAIN, 95 is EOPNOTSUPP */
const otherNames = new Set(["EWOULDBLOCK", "ENOTSUP"]);
const errnoNames = new Map<number, string>(
  Object.entries(constants.errno)
    .filter(([name]) => !otherNames.has(name))
    .map(([name, value]) => [value as number, name]),
);

/** A failed system call: `what` names the call and its object, `code` is the errno's name (`ENOENT`). */
export class SystemError extends EngineError {
  readonly code: string;

  constructor(what: string, code: string) {
    super("internal", `${what}: ${code}`);
    this.code = code;
  }
}

/** The call's result, or a SystemError when it is negative. */
export function check(result: number, what: string): number {
  if (result >= 0) return result;
  const code = errno();
  throw new SystemError(what, errnoNames.get(code) ?? `errno ${code}`);
}

/** A NUL-terminated copy for a `char *`. Refuses a NUL inside: a name must not end early. */
export function cString(text: string): Buffer {
  if (text.includes("\0"))
    throw new EngineError("invalid", `a name holds a NUL byte: ${JSON.stringify(text)}`);
  return Buffer.from(`${text}\0`);
}
