import { EngineError, type ErrorKind } from "../lib/errors.ts";

/** What a registry answered instead of what was asked for. */
export class RegistryError extends EngineError {
  /** the HTTP status */
  readonly status: number;
  /** MANIFEST_UNKNOWN …, "" where the body told none */
  readonly code: string;
  /** milliseconds after which it may be asked again, where it said so */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, answer: { status: number; code?: string; retryAfterMs?: number | undefined }) {
    super(kindOf(answer.status, answer.code ?? ""), message);
    this.status = answer.status;
    this.code = answer.code ?? "";
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** The registry asks for a password, and none is known. No 401: docker's client would ask for a login on the spot. */
export class NoCredentials extends EngineError {
  constructor(where = "") {
    super("internal", `${where}no basic auth credentials`);
  }
}

/** The registry could not be reached, broke off, or stood still: another try may do better. */
export class TransportError extends EngineError {
  constructor(message: string, cause?: unknown) {
    super("internal", message, cause === undefined ? undefined : { cause });
  }
}

function kindOf(status: number, code: string): ErrorKind {
  if (status === 401 || code === "UNAUTHORIZED") return "unauthorized";
  if (status === 403 || code === "DENIED") return "forbidden";
  if (status === 404) return "notFound";
  return "internal";
}

/** Text for a terminal and a log: a registry must not move the cursor. */
export const printable = (text: string): string => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
