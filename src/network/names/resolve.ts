import { parseQuery, type Query, type } from "../../lib/dns/query.ts";
import { type Answers, answer, encodeName, failure, rcode, rejection } from "../../lib/dns/reply.ts";
import { ipBytes } from "../../lib/net/ip-bytes.ts";
import type { NameTable } from "./table.ts";

/** A container as the resolver sees it: what its questions are answered from. */
export interface Asker {
  /** its networks in the order in which a name is looked for */
  networks: readonly { id: string; name: string; links: Readonly<Record<string, string>> }[];
  /** false where no network leads outside: then only names of its own networks are answered */
  forwards: boolean;
  /** `ndots` was set by the user or the host: names without a dot are never asked outside */
  ndotsSet: boolean;
  /** what host.docker.internal is; "" = unknown */
  host: { ipv4: string; ipv6: string };
}

export type Transport = "udp" | "tcp";

/** What a query leads to: an answer, or a question to the outside; `undefined` = silence. */
type Decision = { reply: Buffer } | { forward: Query } | undefined;

const tcpSizeMax = 65_535;
const hostNames: ReadonlySet<string> = new Set(["host.docker.internal", "gateway.docker.internal"]);

/** Decides about the bytes of one message. Docker's rules, but for those in docs/decisions/0045. */
export function resolve(bytes: Uint8Array, transport: Transport, asker: Asker, table: NameTable): Decision {
  const query = parseQuery(bytes);
  if (query === "ignore") return undefined;
  if (query === "malformed") return { reply: rejection(bytes, rcode.malformed) };
  if (query === "notImplemented") return { reply: rejection(bytes, rcode.notImplemented) };
  const found = lookUp(query, asker, table);
  if (found) {
    const sizeMax = transport === "tcp" ? tcpSizeMax : query.udpSize;
    return { reply: answer(query, bytes, found, sizeMax) };
  }
  return asker.forwards ? { forward: query } : { reply: failure(query, bytes, rcode.serverFailure) };
}

/** The records we answer with (perhaps none); `undefined` for what is not ours to answer. */
function lookUp(query: Query, asker: Asker, table: NameTable): Answers | undefined {
  const { name } = query;
  if (query.type === type.PTR) {
    const reverse = reverseName(name, asker, table);
    if (reverse) return { type: type.PTR, data: [reverse] };
  }
  const family = query.type === type.A ? "ipv4" : "ipv6";
  const asksAddress = query.type === type.A || query.type === type.AAAA;
  const addresses = addressesOf(name, asker, table, family);
  // a name that is ours has no other records: a "no such name" from outside would contradict its addresses
  if (addresses) return { type: query.type, data: asksAddress ? shuffled(addresses) : [] };
  return asksAddress && asker.ndotsSet && !name.includes(".") ? { type: query.type, data: [] } : undefined;
}

/**
 * Names of containers, links, and the host's. Networks and containers may have dots in their names: `a.b.c` is tried
 * as such, then as `a.b` in network c, then as `a` in network b.c.
 */
function addressesOf(
  name: string,
  asker: Asker,
  table: NameTable,
  family: "ipv4" | "ipv6",
): readonly Uint8Array[] | undefined {
  const whole = inNetworks(name, undefined, asker, table, family);
  if (whole) return whole;
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const found = inNetworks(name.slice(0, dot), name.slice(dot + 1), asker, table, family);
    if (found) return found;
  }
  if (!hostNames.has(name)) return undefined;
  const bytes = hostBytes(asker, family);
  return bytes && (bytes.length > 0 ? [bytes] : []);
}

/** The first of the asker's networks (or of those so named) with addresses for the name; its links come first. */
function inNetworks(
  name: string,
  network: string | undefined,
  asker: Asker,
  table: NameTable,
  family: "ipv4" | "ipv6",
): readonly Uint8Array[] | undefined {
  let known: readonly Uint8Array[] | undefined;
  for (const byLink of [true, false])
    for (const { id, name: called, links } of asker.networks) {
      if (network !== undefined && called.toLowerCase() !== network) continue;
      const target = Object.hasOwn(links, name) ? links[name] : undefined;
      if (byLink !== (target !== undefined)) continue;
      const found = table.addresses(id, target ?? name, family);
      if (found && found.length > 0) return found;
      known ??= found;
    }
  return known;
}

function reverseName(name: string, asker: Asker, table: NameTable): Uint8Array | undefined {
  for (const { id } of asker.networks) {
    const found = table.reverse(id, name);
    if (found !== undefined) return encodeName(found);
  }
  return undefined;
}

const none = new Uint8Array(0);

function hostBytes({ host }: Asker, family: "ipv4" | "ipv6"): Uint8Array | undefined {
  if (host.ipv4 === "" && host.ipv6 === "") return undefined;
  return ipBytes(host[family]) ?? none;
}

/** Fisher and Yates: several containers behind one name share the work. */
function shuffled(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
  if (addresses.length < 2) return addresses;
  const list = [...addresses];
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    const [a, b] = [list[last], list[other]];
    if (a && b) [list[last], list[other]] = [b, a];
  }
  return list;
}
