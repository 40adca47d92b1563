import { decodeCredentials } from "../../distribution/auth/credentials.ts";
import type { Credentials } from "../../distribution/contract.ts";
import { isKind } from "../../lib/errors.ts";
import type { Call } from "../call.ts";

/** The `X-Registry-Auth` header. A malformed one counts as none, as with Docker: much can be done without. */
export function credentialsOf({ headers }: Call): Credentials | undefined {
  const header = headers["x-registry-auth"];
  try {
    return decodeCredentials(typeof header === "string" ? header : undefined);
  } catch (error) {
    if (isKind(error, "invalid")) return undefined;
    throw error;
  }
}
