import { decodeCredentials } from "../../distribution/auth/credentials.ts";
import type { Credentials } from "../../distribution/contract.ts";
import { isKind } from "../../lib/errors.ts";
import type { Call } from "../call.ts";

/** The `X-Registry-Auth` header. `lenient`: a malformed one counts as none, for a pull may need none. */
export function credentialsOf({ headers }: Call, manner: "strict" | "lenient"): Credentials | undefined {
  const header = headers["x-registry-auth"];
  try {
    return decodeCredentials(typeof header === "string" ? header : undefined);
  } catch (error) {
    if (manner === "lenient" && isKind(error, "invalid")) return undefined;
    throw error;
  }
}
