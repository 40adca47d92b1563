/**
 * What can go wrong, in few kinds. Services throw these; `api/errors.ts` alone turns a kind into an HTTP status,
 * and `cli` alone turns one into an exit code. A message is one sentence: what, where, what to do.
 */
export type ErrorKind =
  | "invalid" // the request is wrong: 400
  | "unauthorized" // 401
  | "forbidden" // 403
  | "notFound" // 404
  | "conflict" // the object's state forbids it: 409
  | "notModified" // already so: 304
  | "tooLarge" // 413
  | "notImplemented" // known, but not built yet: 501
  | "unavailable" // 503
  | "internal"; // our fault, or the host's: 500

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: ErrorKind;
  /** what is known beyond a sentence that clients expect word for word: a further one for people, "" = nothing */
  readonly detail: string;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown; detail?: string }) {
    super(message, options);
    this.kind = kind;
    this.detail = options?.detail ?? "";
  }
}

/** The detail of an error, or of what caused it. */
export function detailOf(error: unknown): string {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++)
    if (each instanceof EngineError && each.detail !== "") return each.detail;
  return "";
}

export const isKind = (error: unknown, kind: ErrorKind): error is EngineError =>
  error instanceof EngineError && error.kind === kind;

/** The sentence of any thrown value, for a message or a log line. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? plainSentence(error.message) : String(error);

/** "ENOSPC: no space left on device, mkdir '/a'" as Docker and its users know it: "mkdir /a: no space left on device". */
function plainSentence(message: string): string {
  const [, reason, call, path, other] =
    /^E[A-Z0-9]+: ([^,]+), (\w+)(?: '([^']*)')?(?: -> '([^']*)')?$/.exec(message) ?? [];
  if (reason === undefined) return message;
  return [call, path, other]
    .filter((part) => part !== undefined)
    .join(" ")
    .concat(`: ${reason}`);
}

/** Puts "verb noun: " before an error's sentence and keeps its kind; anything unknown becomes `internal`. */
export function wrap(doing: string, error: unknown): EngineError {
  const kind = error instanceof EngineError ? error.kind : "internal";
  return new EngineError(kind, `${doing}: ${messageOf(error)}`, { cause: error });
}

/** A broken invariant is our own bug: it stops the operation with a sentence that says which. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new EngineError("internal", `broken invariant: ${invariant}`);
}
