import type { Session } from "../session.ts";
import { findLogin, type Login, serverOf } from "./store.ts";

/**
 * The `X-Registry-Auth` header for a registry, of what is kept for it. A helper that fails counts as none, as with Docker:
 * much can be pulled without.
 */
export async function registryAuth(session: Session, domain: string): Promise<Record<string, string>> {
  const login: Login = (await findLogin(session, serverOf(domain)).catch(() => undefined)) ?? {};
  const text = Buffer.from(JSON.stringify(login)).toString("base64");
  return { "X-Registry-Auth": text.replaceAll("+", "-").replaceAll("/", "_") };
}
