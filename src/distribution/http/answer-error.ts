import { printable, RegistryError } from "../errors.ts";
import type { Answer } from "./answer.ts";

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
