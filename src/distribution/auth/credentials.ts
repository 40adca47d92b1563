import { EngineError } from "../../lib/errors.ts";
import type { Credentials } from "../contract.ts";

const headerMax = 64 * 1024;

/**
 * The `X-Registry-Auth` header: JSON in base64, of either alphabet. Undefined where it is missing or says nothing.
 * `invalid` where it is malformed: pulls go on without, as with Docker, and pushes are refused.
 */
export function decodeCredentials(header: string | undefined): Credentials | undefined {
  if (header === undefined || header === "") return undefined;
  if (header.length > headerMax) throw invalid("it is too long");
  const text = Buffer.from(header.replaceAll("-", "+").replaceAll("_", "/"), "base64").toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(text === "" ? "EOF" : "it is not JSON in base64", cause);
  }
  if (typeof value !== "object" || value === null) throw invalid("it is no object");
  return credentialsOf(value as Record<string, unknown>);
}

const invalid = (why: string, cause?: unknown): EngineError =>
  new EngineError("invalid", `invalid X-Registry-Auth header: ${why}`, { cause });

/** The fields of Docker's AuthConfig. `auth` is `user:password` in base64. */
export function credentialsOf(fields: Record<string, unknown>): Credentials | undefined {
  const text = (name: string): string => (typeof fields[name] === "string" ? (fields[name] as string) : "");
  const plain = Buffer.from(text("auth"), "base64").toString("utf8");
  const colon = plain.indexOf(":");
  const username = text("username") || (colon > 0 ? plain.slice(0, colon) : "");
  const password = text("password") || (colon > 0 ? plain.slice(colon + 1).replace(/\0+$/, "") : "");
  const identityToken = text("identitytoken");
  const registryToken = text("registrytoken");
  if (!username && !identityToken && !registryToken) return undefined;
  return {
    ...(username ? { username, password } : {}),
    ...(identityToken ? { identityToken } : {}),
    ...(registryToken ? { registryToken } : {}),
  };
}

export const basicHeader = ({ username = "", password = "" }: Credentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
