import { EngineError, type ErrorKind } from "../lib/errors.ts";
import type { Answer } from "./http/answer.ts";

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

const bodyMax = 64 * 1024;
const messageMax = 2000;

/** The error that a response tells, in the sentence Docker makes of it: "manifest unknown: manifest unknown". */
export async function errorOf(response: Answer): Promise<RegistryError> {
  const { status } = response;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterMs = seconds >= 0 ? seconds * 1000 : undefined;
  const first = firstError(await response.text(bodyMax));
  if (first !== undefined) {
    const words = first.code.toLowerCase().replaceAll("_", " ");
    return new RegistryError(`${words}: ${first.message || words}`, {
      status,
      code: first.code,
      retryAfterMs,
    });
  }
  const code =
    status === 401 ? "UNAUTHORIZED" : status === 403 ? "DENIED" : status === 429 ? "TOOMANYREQUESTS" : "";
  const sentence =
    status === 401
      ? "unauthorized: authentication required"
      : status === 403
        ? "denied: requested access to the resource is denied"
        : `received unexpected HTTP status: ${status} ${response.statusText}`.trimEnd();
  return new RegistryError(sentence, { status, code, retryAfterMs });
}

function firstError(text: string): { code: string; message: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const [first] = (value as { errors?: unknown[] } | null)?.errors ?? [];
  const { code, message } = (first ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== "string" || !/^[A-Za-z0-9_]{1,64}$/.test(code)) return undefined;
  return { code, message: typeof message === "string" ? printable(message).slice(0, messageMax) : "" };
}

/** Text for a terminal and a log: a registry must not move the cursor. */
export const printable = (text: string): string => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
