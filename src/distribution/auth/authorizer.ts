import { EngineError } from "../../lib/errors.ts";
import type { Access } from "../contract.ts";
import { NoCredentials } from "../errors.ts";
import type { Transport } from "../http/transport.ts";
import type { Challenge } from "./challenge.ts";
import { basicHeader } from "./credentials.ts";
import { fetchToken, type Token } from "./token.ts";

/** A token is renewed that long before it ends. */
const marginMs = 10_000;

/** Finds the `Authorization` header for requests to one registry, by what it asks for and what the client has. */
export class Authorizer {
  private readonly transport: Transport;
  private readonly access: Access;
  private readonly registry: URL;
  private challenges: readonly Challenge[];
  /** by scopes */
  private readonly tokens = new Map<string, Promise<Token>>();

  constructor(
    transport: Transport,
    access: Access,
    { base, challenges }: { base: URL; challenges: readonly Challenge[] },
  ) {
    this.transport = transport;
    this.access = access;
    this.registry = base;
    this.challenges = challenges;
  }

  /** The header for these scopes; none for a registry that asks for nothing. */
  async header(scopes: readonly string[]): Promise<Record<string, string>> {
    const { credentials } = this.access;
    if (credentials?.registryToken) return { Authorization: `Bearer ${credentials.registryToken}` };
    if (this.challenges.length === 0) return {};
    const bearer = this.challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) return { Authorization: `Bearer ${(await this.token(bearer, scopes)).token}` };
    const basic = this.challenges.some(({ scheme }) => scheme === "basic");
    if (!basic)
      throw new EngineError(
        "internal",
        `the registry asks for ${this.challenges[0]?.scheme} authentication, which is not supported`,
      );
    if (!credentials?.username) throw new NoCredentials();
    return { Authorization: basicHeader(credentials) };
  }

  /** After a 401: what it asked for counts from now on, and tokens are got anew. False where that changes nothing. */
  refused(challenges: readonly Challenge[], scopes: readonly string[]): boolean {
    const known = this.tokens.delete(scopes.join(" "));
    const asked = this.challenges.length === 0 && challenges.length > 0;
    if (challenges.length > 0) this.challenges = challenges;
    return known || asked;
  }

  private async token({ parameters }: Challenge, scopes: readonly string[]): Promise<Token> {
    const key = scopes.join(" ");
    const known = await this.tokens.get(key);
    if (known !== undefined && performance.now() < known.expiresAt - marginMs) return known;
    const { credentials } = this.access;
    // a layer may be another pull's too: its token is got even when the client that came first has gone
    const { signal } = new AbortController();
    const fresh = fetchToken(this.transport, {
      registry: this.registry,
      realm: parameters["realm"] ?? "",
      service: parameters["service"] ?? "",
      scopes,
      credentials,
      signal,
    });
    this.tokens.set(key, fresh);
    fresh.catch(() => this.tokens.delete(key));
    return fresh;
  }
}
