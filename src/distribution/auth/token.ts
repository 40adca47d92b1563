import { EngineError } from "../../lib/errors.ts";
import type { Credentials } from "../contract.ts";
import { isInsecure } from "../hosts/insecure.ts";
import { leadsToLinkLocal } from "../hosts/link-local.ts";
import { errorOf } from "../http/answer-error.ts";
import type { Transport } from "../http/transport.ts";
import { basicHeader } from "./credentials.ts";

interface TokenRequest {
  /** the registry's address, which the realm is the word of */
  registry: URL;
  /** `realm` of the challenge */
  realm: string;
  service: string;
  /** "repository:library/busybox:pull" … */
  scopes: readonly string[];
  credentials: Credentials | undefined;
  /** ask for an identity token too */
  offline?: boolean;
  signal: AbortSignal;
}

export interface Token {
  token: string;
  /** by `performance.now()` */
  expiresAt: number;
  identityToken: string;
}

const answerMax = 1024 * 1024;
const clientId = "docker";
const lifetimeMinSeconds = 60;

/** Gets an access token (https://distribution.github.io/distribution/spec/auth/token/, and `oauth/` beside it). */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const realm = realmOf(transport, request);
  const { credentials, signal } = request;
  const answer = credentials?.identityToken
    ? await transport.send({
        method: "POST",
        url: realm,
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: refreshForm(request, credentials.identityToken).toString(),
        signal,
      })
    : await transport.send({
        method: "GET",
        url: withQuery(realm, request),
        headers: credentials?.username ? { Authorization: basicHeader(credentials) } : {},
        signal,
      });
  if (!answer.ok) throw await errorOf(answer);
  return tokenOf(await answer.text(answerMax));
}

function realmOf({ options }: Transport, { registry, realm, credentials }: TokenRequest): URL {
  const url = URL.parse(realm);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new EngineError(
      "internal",
      `invalid token auth challenge realm: ${JSON.stringify(realm.slice(0, 200))}`,
    );
  if (leadsToLinkLocal(registry, url, options.insecureRegistries))
    throw new EngineError(
      "internal",
      `the registry wants a token asked for at the link-local address ${url.host}: refused`,
    );
  const plain = url.protocol === "http:" && !isInsecure(url.host, options.insecureRegistries);
  if (plain && credentials !== undefined)
    throw new EngineError(
      "internal",
      `the registry wants its credentials sent to ${url.origin}, without TLS: refused`,
    );
  if (plain && registry.protocol === "https:")
    throw new EngineError(
      "internal",
      `the registry wants a token asked for at ${url.origin}, without TLS: refused`,
    );
  return url;
}

function withQuery(realm: URL, { service, scopes, credentials, offline }: TokenRequest): URL {
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credentials?.username) url.searchParams.set("account", credentials.username);
  if (offline) {
    url.searchParams.set("offline_token", "true");
    url.searchParams.set("client_id", clientId);
  }
  return url;
}

function refreshForm({ service, scopes }: TokenRequest, identityToken: string): URLSearchParams {
  return new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: identityToken,
    service,
    client_id: clientId,
    ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
  });
}

function tokenOf(text: string): Token {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("internal", "unable to decode token response: it is not JSON", { cause });
  }
  const string = (name: string): string => (typeof value?.[name] === "string" ? (value[name] as string) : "");
  const token = string("token") || string("access_token");
  if (token === "")
    throw new EngineError("internal", "authorization server did not include a token in the response");
  const given = Number(value["expires_in"] ?? 0);
  const seconds = given >= lifetimeMinSeconds && given < 10 ** 9 ? given : lifetimeMinSeconds;
  return { token, expiresAt: performance.now() + seconds * 1000, identityToken: string("refresh_token") };
}
