import { existsSync, readFileSync } from "node:fs";
import type { Nftables } from "../../system/nftables/nftables.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";
import { passageMark } from "../host/passage.ts";
import type { ForeignChain } from "../worker/protocol.ts";

interface BaseChain {
  family: string;
  table: string;
  chain: string;
  drops: boolean;
}

/** Reads `nft list chains`: base chains at the forward hook, and all chains by table. */
function readChains(text: string): { forward: BaseChain[]; names: ReadonlySet<string> } {
  const forward: BaseChain[] = [];
  const names = new Set<string>();
  let [family, table, chain] = ["", "", ""];
  for (const line of text.split("\n")) {
    const opened = /^table (\S+) (\S+) \{/.exec(line);
    if (opened) [family, table] = [opened[1] ?? "", opened[2] ?? ""];
    chain = /^\s*chain (\S+) \{/.exec(line)?.[1] ?? chain;
    names.add(`${family} ${table} ${chain}`);
    if (/hook forward /.test(line)) forward.push({ family, table, chain, drops: /policy drop/.test(line) });
  }
  return { forward, names };
}

function ownerOf({ family, table }: BaseChain, names: ReadonlySet<string>): string {
  if (table === "firewalld") return " (firewalld)";
  if (names.has(`${family} ${table} ufw-before-forward`)) return " (ufw)";
  return names.has(`${family} ${table} DOCKER-USER`) ? " (Docker)" : "";
}

/**
 * Chains of others at the forward hook. Those with a policy that drops, and firewalld's, which does it by its last rule,
 * let through only what they know.
 */
export function foreignChains(nftables: Pick<Nftables, "list">, own: string): ForeignChain[] {
  const { forward, names } = readChains(nftables.list("list chains"));
  return forward
    .filter(({ table }) => !table.startsWith("berth-"))
    .map((one) => ({
      ...one,
      drops: one.drops || one.table === "firewalld",
      whose: ownerOf(one, names),
      open: nftables.list(`list chain ${placeOf(one)}`).includes(own),
    }));
}

type Place = Pick<ForeignChain, "family" | "table" | "chain">;
const placeOf = ({ family, table, chain }: Place): string => `${family} ${table} ${chain}`;

export function openPassage(nftables: Pick<Nftables, "run">, chain: Place, own: string): void {
  const rule = `meta mark & ${passageMark} == ${passageMark} counter accept comment "${own}"`;
  nftables.run(`insert rule ${placeOf(chain)} ${rule}`);
}

export function closePassage(nftables: Pick<Nftables, "list" | "run">, chain: Place, own: string): void {
  const lines = nftables.list(`list chain ${placeOf(chain)}`, { handles: true }).split("\n");
  for (const line of lines) {
    const handle = line.includes(`comment "${own}"`) ? /# handle (\d+)/.exec(line)?.[1] : undefined;
    if (handle !== undefined) nftables.run(`delete rule ${placeOf(chain)} handle ${handle}`);
  }
}

/** iptables of before nftables; its tables are listed once something has used them. */
export function legacyRules(): NetworkFinding[] {
  const file = "/proc/net/ip_tables_names";
  if (!existsSync(file) || !readFileSync(file, "utf8").includes("filter")) return [];
  return [
    {
      state: "advice",
      text: "rules of iptables-legacy may be in force, which are not seen here",
      remedy: "iptables-legacy -S FORWARD",
    },
  ];
}
