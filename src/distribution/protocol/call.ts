import { Authorizer } from "../auth/authorizer.ts";
import { parseChallenges } from "../auth/challenge.ts";
import type { Access } from "../contract.ts";
import { NoCredentials } from "../errors.ts";
import type { Endpoint } from "../hosts/endpoint.ts";
import type { Answer } from "../http/answer.ts";
import { errorOf } from "../http/answer-error.ts";
import type { Transport } from "../http/transport.ts";

interface RegistryCall {
  method: string;
  /** path below the registry's root, or a whole URL the registry gave */
  path: string | URL;
  headers?: Record<string, string>;
  /** asked again for each try; a try after a 401 needs it once more */
  body?: () => Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>;
  scopes: readonly string[];
  /** statuses beside 2xx that are answers, not errors */
  also?: readonly number[];
  signal?: AbortSignal;
}

/** Calls to one registry by one client: finds its address, authenticates, and tries again with a new token. */
export class Caller {
  readonly endpoint: Endpoint;
  private readonly transport: Transport;
  private readonly access: Access;
  private authorizer: Authorizer | undefined;

  constructor(transport: Transport, endpoint: Endpoint, access: Access) {
    this.transport = transport;
    this.endpoint = endpoint;
    this.access = access;
  }

  async call(call: RegistryCall): Promise<Answer> {
    const signal = call.signal ?? this.access.signal;
    const { base, challenges, elsewhere } = await this.endpoint.reach(signal);
    const access = elsewhere ? { signal: this.access.signal } : this.access;
    this.authorizer ??= new Authorizer(this.transport, access, { base, challenges });
    const url = typeof call.path === "string" ? new URL(call.path, base) : call.path;
    let answer = await this.once(call, url, base, signal);
    // what a redirect's target asks for is not the registry's word: its realm would be sent the password
    if (answer.status === 401 && answer.url.origin === base.origin) {
      const asked = parseChallenges(answer.headers.get("www-authenticate") ?? "");
      if (url.origin === base.origin && this.authorizer.refused(asked, call.scopes)) {
        await answer.discard();
        answer = await this.once(call, url, base, signal);
      }
    }
    if (answer.ok || call.also?.includes(answer.status)) return answer;
    throw await errorOf(answer);
  }

  /** Credentials go to the registry's own address alone: an upload's place may be elsewhere. */
  private async once(call: RegistryCall, url: URL, base: URL, signal: AbortSignal): Promise<Answer> {
    const own = url.origin === base.origin;
    const authorization = own ? await this.authorizer?.header(call.scopes).catch(toldWith(url)) : {};
    return this.transport.send({
      method: call.method,
      url,
      headers: { ...call.headers, ...authorization },
      signal,
      ...(call.body === undefined ? {} : { body: call.body() }),
    });
  }
}

/** For a manifest, Docker tells the address too, of the HEAD it begins with. */
const toldWith =
  (url: URL) =>
  (error: unknown): never => {
    if (error instanceof NoCredentials && url.pathname.includes("/manifests/"))
      throw new NoCredentials(`Head "${url.href}": `);
    throw error;
  };
