import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";
import type { Call, ForeignChain } from "../worker/protocol.ts";

/** The bit that packets have which our rules let through: in other firewalls one rule for it is enough. */
export const passageMark = "0x8000000";

interface PassageOptions {
  call: Call;
  /** the engine's own table; its name marks our rules in others' */
  table: string;
  /** whether containers' packets are to pass other firewalls */
  wanted: () => boolean;
  /** runs a command; its exit code */
  run: (argv: readonly string[]) => Promise<number>;
  /** grows with every change of packet rules by anyone; undefined where the kernel does not tell */
  generation: () => number | undefined;
  logger: Logger;
}

/**
 * Other firewalls of the host (ufw, firewalld, Docker, the administrator's own) that drop what is forwarded: an accept of
 * ours does not end their chains. Where it is wanted, a rule at the head of each lets through what our rules let through,
 * and comes back after their reload. It goes with our table.
 */
export class Passage {
  private readonly options: PassageOptions;
  /** of the rules when all was as it should be */
  private seen: number | undefined;
  private under: Promise<void> | undefined;

  constructor(options: PassageOptions) {
    this.options = options;
  }

  /** Makes what lacks; called now and then. */
  ensure(): Promise<void> {
    if (!this.options.wanted()) return Promise.resolve();
    const now = this.options.generation();
    if (now !== undefined && now === this.seen) return Promise.resolve();
    this.under ??= this.open().finally(() => {
      this.under = undefined;
    });
    return this.under;
  }

  /** Takes the rules out of others' chains again. */
  async remove(): Promise<void> {
    if (!this.options.wanted()) return;
    this.seen = undefined;
    const { call, table } = this.options;
    for (const chain of await this.foreign())
      if (isIptables(chain)) while (await this.iptables(chain, "-D"));
      else if (chain.open) await call("closePassage", { chain, table });
  }

  async examine(): Promise<NetworkFinding[]> {
    const findings: NetworkFinding[] = [];
    for (const chain of await this.closing()) {
      const name = `chain ${chain.chain} of table ${chain.family} ${chain.table}${chain.whose}`;
      if (await this.isOpen(chain))
        findings.push({ state: "well", text: `${name} lets through what networks let through`, remedy: "" });
      else
        findings.push({
          state: this.options.wanted() ? "broken" : "advice",
          text: `${name} drops containers' forwarded packets`,
          remedy: "berth network doctor --repair",
        });
    }
    return findings;
  }

  private foreign(): Promise<ForeignChain[]> {
    return this.options.call("foreignChains", { table: this.options.table }) as Promise<ForeignChain[]>;
  }

  private async closing(): Promise<ForeignChain[]> {
    return (await this.foreign()).filter(({ drops }) => drops);
  }

  private async open(): Promise<void> {
    const { call, table, generation, logger } = this.options;
    for (const chain of await this.closing()) {
      try {
        if (await this.isOpen(chain)) continue;
        if (!isIptables(chain)) await call("openPassage", { chain, table });
        else if (!(await this.iptables(chain, "-I"))) throw new Error("iptables refused the rule");
        logger.info("let containers' packets through another firewall", { ...chain });
      } catch (error) {
        logger.warn("containers' packets do not pass another firewall", {
          ...chain,
          error: messageOf(error),
        });
      }
    }
    this.seen = generation();
  }

  private async isOpen(chain: ForeignChain): Promise<boolean> {
    return chain.open || (isIptables(chain) && (await this.iptables(chain, "-C")));
  }

  private async iptables({ family }: ForeignChain, verb: "-C" | "-I" | "-D"): Promise<boolean> {
    const { run, table } = this.options;
    const program = family === "ip6" ? "ip6tables" : "iptables";
    const mark = ["-m", "mark", "--mark", `${passageMark}/${passageMark}`];
    const rule = ["FORWARD", ...mark, "-m", "comment", "--comment", table, "-j", "ACCEPT"];
    return (await run([program, "-w", "5", verb, ...rule])) === 0;
  }
}

/** These programs read their tables back, and know only what they write themselves. */
const isIptables = ({ family, table, chain }: ForeignChain): boolean =>
  (family === "ip" || family === "ip6") && table === "filter" && chain === "FORWARD";
