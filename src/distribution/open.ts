import type { Reference } from "../lib/image/reference.ts";
import type { Descriptor } from "../types/oci.ts";
import type {
  Access,
  Credentials,
  Distribution,
  DistributionOptions,
  LoginResult,
  Repository,
  SearchRequest,
  SearchResults,
} from "./contract.ts";
import { Endpoint } from "./hosts/endpoint.ts";
import { Transport } from "./http/transport.ts";
import { Caller } from "./protocol/call.ts";
import { login } from "./protocol/login.ts";
import { RemoteRepository } from "./protocol/repository.ts";
import { search } from "./protocol/search.ts";

const hub = { name: "docker.io", host: "registry-1.docker.io", index: "index.docker.io" };

export const openDistribution = (options: DistributionOptions): Distribution => new Registries(options);

class Registries implements Distribution {
  private transport: Transport;
  /** addresses that were talked to, by how they were written */
  private readonly endpoints = new Map<string, Endpoint>();

  constructor(options: DistributionOptions) {
    this.transport = new Transport(options);
  }

  get options(): DistributionOptions {
    return this.transport.options;
  }

  configure(options: DistributionOptions): void {
    this.transport = new Transport(options);
    this.endpoints.clear();
  }

  /** A mirror never gets the origin's credentials. */
  sources(reference: Reference, access: Access): Repository[] {
    const mirrors = (this.options.mirrors[reference.domain] ?? []).map((address) =>
      this.repository(address, reference, { signal: access.signal }, { actions: "pull", isMirror: true }),
    );
    const origin = this.repository(originOf(reference), reference, access, {
      actions: "pull",
      isMirror: false,
    });
    return [...mirrors, origin];
  }

  target(reference: Reference, access: Access): Repository {
    return this.repository(originOf(reference), reference, access, { actions: "pull,push", isMirror: false });
  }

  async reach(reference: Reference, signal: AbortSignal): Promise<void> {
    await this.endpoint(originOf(reference)).reach(signal);
  }

  login(server: string, credentials: Credentials, signal: AbortSignal): Promise<LoginResult> {
    const host = server.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
    const address = host === "" || host === hub.index || host === hub.name ? hub.host : host;
    return login(this.transport, this.endpoint(address), credentials, signal);
  }

  async search(request: SearchRequest): Promise<SearchResults> {
    const { host, term } = splitTerm(request.term);
    if (host === hub.index) return search(this.transport, new URL(`https://${host}`), { ...request, term });
    const { base, elsewhere } = await this.endpoint(host).reach(request.signal);
    const { credentials, ...open } = request;
    return search(this.transport, base, {
      ...open,
      term,
      ...(credentials && !elsewhere ? { credentials } : {}),
    });
  }

  /** The origin's word: mirrors keep blobs and manifests, and seldom what refers to them. */
  referrers(
    { reference, digest, artifactType }: { reference: Reference; digest: string; artifactType?: string },
    access: Access,
  ): Promise<Descriptor[]> {
    const at = { actions: "pull", isMirror: false } as const;
    return this.repository(originOf(reference), reference, access, at).referrers(digest, artifactType);
  }

  private repository(
    address: string,
    { path }: Reference,
    access: Access,
    { actions, isMirror }: { actions: "pull" | "pull,push"; isMirror: boolean },
  ): RemoteRepository {
    return new RemoteRepository(
      new Caller(this.transport, this.endpoint(address), access),
      path,
      actions,
      isMirror,
    );
  }

  private endpoint(address: string): Endpoint {
    const known = this.endpoints.get(address);
    if (known !== undefined) return known;
    const made = new Endpoint(this.transport, address);
    if (this.endpoints.size >= endpointsMax) this.endpoints.clear();
    this.endpoints.set(address, made);
    return made;
  }
}

/** Names come from clients: what is remembered of them is bounded. */
const endpointsMax = 256;

const originOf = ({ domain }: Reference): string => (domain === hub.name ? hub.host : domain);

/** `registry.example/term`: as in a reference, the first part is a host when it looks like one. */
function splitTerm(text: string): { host: string; term: string } {
  const slash = text.indexOf("/");
  const head = text.slice(0, Math.max(slash, 0));
  const named = head === "localhost" || /[.:]/.test(head);
  if (named && head !== hub.name && head !== hub.index) return { host: head, term: text.slice(slash + 1) };
  return { host: hub.index, term: (named ? text.slice(slash + 1) : text).replace(/^library\//, "") };
}
