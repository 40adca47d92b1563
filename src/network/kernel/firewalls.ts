import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../../lib/errors.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";

/** A base chain in the way of forwarded packets. */
interface ForwardChain {
  family: string;
  table: string;
  chain: string;
  drops: boolean;
}

/** Reads `nft list chains`: base chains at the forward hook, and the names of all chains. */
export function readChains(text: string): { forward: ForwardChain[]; names: ReadonlySet<string> } {
  const forward: ForwardChain[] = [];
  const names = new Set<string>();
  let [family, table, chain] = ["", "", ""];
  for (const line of text.split("\n")) {
    const opened = /^table (\S+) (\S+) \{/.exec(line);
    if (opened) [family, table] = [opened[1] ?? "", opened[2] ?? ""];
    chain = /^\s*chain (\S+) \{/.exec(line)?.[1] ?? chain;
    names.add(chain);
    if (/hook forward /.test(line)) forward.push({ family, table, chain, drops: /policy drop/.test(line) });
  }
  return { forward, names };
}

const both = (command: string, bridges: readonly string[]): string =>
  bridges
    .flatMap((name) => [`${command} -i ${name} -j ACCEPT`, `${command} -o ${name} -j ACCEPT`])
    .join("\n");

/** user networks' bridges have a pattern of their own */
const patterns = (bridges: readonly string[]): string[] => [
  ...bridges.filter((name) => !/^br-[0-9a-f]{12}$/.test(name)),
  ...(bridges.some((name) => /^br-[0-9a-f]{12}$/.test(name)) ? ["br-+"] : []),
];

/** What other firewalls of this host need to be told, so that they let containers' packets pass. */
export function foreignFirewalls(list: () => string, bridges: readonly string[]): NetworkFinding[] {
  const advice = (text: string, remedy: string): NetworkFinding => ({ state: "advice", text, remedy });
  let chains: ReturnType<typeof readChains>;
  try {
    chains = readChains(list());
  } catch (error) {
    return [advice(`other firewalls could not be looked at: ${messageOf(error)}`, "")];
  }
  const found: NetworkFinding[] = [];
  const own = patterns(bridges);
  if (chains.names.has("ufw-before-forward"))
    found.push(
      advice(
        "ufw is active: forwarded packets need its leave",
        own.flatMap((name) => [`ufw route allow in on ${name}`, `ufw route allow out on ${name}`]).join("\n"),
      ),
    );
  if (chains.forward.some(({ table }) => table === "firewalld"))
    found.push(
      advice(
        "firewalld is active: the bridges need a zone that lets them through",
        bridges
          .map((name) => `firewall-cmd --permanent --zone=trusted --add-interface=${name}`)
          .concat("firewall-cmd --reload")
          .join("\n"),
      ),
    );
  const dropping = chains.forward.filter(
    ({ table, drops }) => drops && table !== "firewalld" && !table.startsWith("berth-"),
  );
  for (const { family, table, chain } of dropping) {
    const docker = chains.names.has("DOCKER-USER");
    const command = `${family === "ip6" ? "ip6tables" : "iptables"} -I ${docker ? "DOCKER-USER" : chain}`;
    found.push(
      advice(
        `chain ${chain} of table ${family} ${table} drops forwarded packets${docker ? " (Docker's doing)" : ""}`,
        both(command, own),
      ),
    );
  }
  if (hasLegacyRules())
    found.push(
      advice(
        "rules of iptables-legacy may be in force, which are not seen here",
        "iptables-legacy -S FORWARD",
      ),
    );
  return found.length > 0
    ? found
    : [{ state: "well", text: "no other firewall drops forwarded packets", remedy: "" }];
}

/** iptables of before nftables; its tables are listed once something has used them. */
function hasLegacyRules(): boolean {
  const file = "/proc/net/ip_tables_names";
  return existsSync(file) && readFileSync(file, "utf8").includes("filter");
}
