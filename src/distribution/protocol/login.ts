import { EngineError } from "../../lib/errors.ts";
import { basicHeader } from "../auth/credentials.ts";
import { fetchToken } from "../auth/token.ts";
import type { Credentials, LoginResult } from "../contract.ts";
import type { Endpoint } from "../hosts/endpoint.ts";
import { errorOf } from "../http/answer-error.ts";
import type { Transport } from "../http/transport.ts";

const succeeded = "Login Succeeded";

/** Tries credentials at `/v2/`: by a token where the registry wants one, which may bring an identity token. */
export async function login(
  transport: Transport,
  endpoint: Endpoint,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<LoginResult> {
  const { base, challenges, elsewhere } = await endpoint.reach(signal);
  if (elsewhere)
    throw new EngineError("internal", `${endpoint.name} leads to ${base.origin}: log in to that registry`);
  const url = new URL("/v2/", base);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (challenges.length === 0) return { status: succeeded, identityToken: "" };
  if (!bearer && !challenges.some(({ scheme }) => scheme === "basic"))
    throw new EngineError(
      "internal",
      `login attempt to ${url.href} failed: it asks for ${challenges[0]?.scheme} authentication`,
    );
  if (!bearer && !credentials.username && !credentials.password)
    throw new EngineError("internal", `Get "${url.href}": no basic auth credentials`);
  const token = bearer
    ? await fetchToken(transport, {
        registry: base,
        realm: bearer.parameters["realm"] ?? "",
        service: bearer.parameters["service"] ?? "",
        scopes: [],
        credentials,
        offline: credentials.identityToken === undefined,
        signal,
      })
    : undefined;
  const authorization = token ? `Bearer ${token.token}` : basicHeader(credentials);
  const answer = await transport.send({
    method: "GET",
    url,
    headers: { Authorization: authorization },
    signal,
  });
  if (answer.ok) {
    await answer.discard();
    return { status: succeeded, identityToken: token?.identityToken ?? "" };
  }
  const error = await errorOf(answer);
  if (answer.status === 401)
    throw new EngineError(
      "internal", // Docker answers 500 here
      `login attempt to ${url.href} failed with status: 401 Unauthorized`,
      { cause: error },
    );
  throw error;
}
