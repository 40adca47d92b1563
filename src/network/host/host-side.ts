import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";
import { formatSubnet, ipBytes } from "../addresses/ip.ts";
import type { BridgeNetwork } from "../definitions/driver-options.ts";
import { macOf } from "../endpoints/requests.ts";
import type { Found } from "../kernel/changes.ts";
import type { BridgePlan, Call, FlowsPlan, PortPlan } from "../worker/protocol.ts";
import { flowsAfter, flowsBefore } from "./flows.ts";
import { HostWatch, type HostWatchOptions, type Sight } from "./host-watch.ts";
import type { Passage } from "./passage.ts";
import {
  addBridge,
  type BridgeRules,
  exchangePorts,
  type PortRules,
  portsBeyond,
  type RuleModel,
  removeBridge,
} from "./rules.ts";

interface HostSideOptions {
  call: Call;
  table: string;
  /** every bridge network, the default one included */
  bridges: () => BridgeNetwork[];
  /** every port published now */
  ports: () => PortRules;
  /** the bit for packets that are let through, where other firewalls let them through by it */
  mark: () => string | undefined;
  passage: Pick<Passage, "ensure" | "remove" | "examine">;
  /** every container's link that should be in a bridge now */
  links: () => PortPlan[];
  /** sets net.ipv4.ip_forward */
  forward: boolean;
  /** how long bridges and table outlive the last endpoint, so that containers run one by one do not pay for them */
  lingerMs: number;
  /** called when they go */
  onIdle: () => Promise<void>;
  /** how often it is looked whether all is still there where the kernel does not tell, milliseconds */
  againMs: number;
  /** hears what others change meanwhile */
  listen: HostWatchOptions["listen"];
  /** names of what is missing in the kernel of these: a table and bridges */
  missing: (own: { table: string; bridges: string[] }) => string[];
  logger: Logger;
}

/** The host's side of all networks: bridges and packet rules, there while anything needs them. */
export class HostSide {
  private readonly options: HostSideOptions;
  private prepared: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly watch: HostWatch;
  /** what others took is still to be made anew: the next look tries again */
  private unmended = false;
  /** changes under way, in which bridges may not be there yet */
  private changing = 0;

  constructor(options: HostSideOptions) {
    this.options = options;
    const { againMs, listen, logger } = options;
    this.watch = new HostWatch({ againMs, listen, look: (found) => this.look(found), logger });
  }

  /** Bridges and table stand when this resolves. */
  ensure(): Promise<void> {
    this.prepared ??= this.prepare();
    return this.prepared;
  }

  /** Whether they stand, as far as this engine knows. */
  get standing(): boolean {
    return this.prepared !== undefined;
  }

  /** They were found broken: the next `ensure` makes them anew. */
  distrust(): void {
    this.prepared = undefined;
  }

  /** They stand already: a sweep made them. */
  trust(): void {
    this.prepared = Promise.resolve();
    this.watch.start();
    this.pass();
  }

  /** Ports of a sandbox in place of those it had. The Worker is asked before this waits for anything. */
  async exchange(before: PortRules, after: PortRules): Promise<void> {
    const [gone, fresh] = [portsBeyond(before, after), portsBeyond(after, before)];
    if (countOf(gone) + countOf(fresh) === 0) return;
    await this.change(exchangePorts(this.options.table, gone, fresh));
    const [forgotten, overtaken] = [flowsAfter(gone), flowsBefore(fresh)];
    await this.forget({ to: forgotten.to, at: overtaken.at });
  }

  /** A network that was just recorded gets its bridge and its rules. */
  async addNetwork(network: BridgeNetwork): Promise<void> {
    this.busy();
    if (!this.prepared) return this.ensure();
    await this.prepared;
    const commands = addBridge(this.options.table, rulesOf(network));
    this.changing++;
    try {
      await this.options.call("addBridge", { commands, bridge: this.planOf(network) });
    } catch (error) {
      // the rules may be there without the bridge, or the table be gone: whatever is recorded is made anew next time
      this.distrust();
      throw error;
    } finally {
      this.changing--;
    }
  }

  /** A network goes: its containers are gone, its record is about to be. */
  async removeNetwork(network: BridgeNetwork): Promise<void> {
    const commands = removeBridge(this.options.table, rulesOf(network));
    try {
      await this.options.call("removeBridge", { commands, bridge: network.bridge });
    } catch (error) {
      this.options.logger.warn("remove a network's packet rules; making all anew", {
        error: messageOf(error),
      });
      this.distrust();
    }
  }

  /** What the kernel has against what is recorded. An engine that needs nothing yet has nothing to find. */
  async examine(): Promise<NetworkFinding[]> {
    if (!this.prepared)
      return [{ state: "well", text: "no container and no network needs anything of the host", remedy: "" }];
    await this.prepared;
    const own = await this.options.call("examine", {
      bridges: this.bridgePlans(),
      ports: this.options.links(),
      rules: this.model(),
    });
    const others = await this.options.passage.examine();
    const none = { state: "well" as const, text: "no other firewall drops forwarded packets", remedy: "" };
    return [...own, ...(others.length > 0 ? others : [none])];
  }

  /** Makes all anew that is recorded, and takes away what is not. */
  async mend(): Promise<void> {
    const bridges = this.options.bridges().map(({ bridge }) => bridge);
    const links = this.options.links().map(({ link }) => link);
    await this.options.call("dropStrays", { bridges, links });
    this.distrust();
    await this.ensure();
    await this.options.passage.ensure();
  }

  bridgePlans(): BridgePlan[] {
    return this.options.bridges().map((network) => this.planOf(network));
  }

  model(): RuleModel {
    const { table, bridges, ports } = this.options;
    const mark = this.options.mark();
    return { table, ...(mark ? { mark } : {}), bridges: bridges().map(rulesOf), ...ports() };
  }

  /** A container or network came: nothing is taken away. */
  busy(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The last one went. */
  idle(): void {
    this.busy();
    this.timer = setTimeout(() => {
      this.remove().catch((error: unknown) =>
        this.options.logger.warn("remove the bridge of no container", { error: messageOf(error) }),
      );
    }, this.options.lingerMs);
    this.timer.unref();
  }

  async remove(): Promise<void> {
    this.busy();
    this.stopWatch();
    const { call, table, onIdle } = this.options;
    const bridges = this.options.bridges().map(({ bridge }) => bridge);
    // asked of the Worker before anything is awaited: what a container that comes now asks is done after it
    const removed = this.prepared ? call("removeAll", { bridges, table }) : undefined;
    this.prepared = undefined;
    this.unmended = false;
    await Promise.all([removed, this.options.passage.remove(), onIdle()]);
  }

  private planOf({ bridge, v4, v6, mtu, mode4, mode6, inhibit4 }: BridgeNetwork): BridgePlan {
    const held = [v4 && mode4 !== "isolated" && !inhibit4 ? v4 : [], v6 && mode6 !== "isolated" ? v6 : []];
    const own = v4 ?? v6;
    return {
      name: bridge,
      addresses: held
        .flat()
        .flatMap(({ subnet, gateway }) =>
          gateway ? [{ bytes: ipBytes(gateway), prefix: subnet.prefix }] : [],
        ),
      mac: macOf(own?.gateway ?? { family: own?.subnet.family ?? 4, value: own?.subnet.base ?? 0n }),
      mtu,
      ipv6: v6 !== undefined,
      forward: this.options.forward,
    };
  }

  private async prepare(): Promise<void> {
    this.changing++;
    try {
      const ports = this.options.links();
      await this.options.call("prepare", { bridges: this.bridgePlans(), ports, rules: this.model() });
      this.watch.start();
      this.pass();
    } catch (error) {
      this.prepared = undefined;
      throw error;
    } finally {
      this.changing--;
    }
  }

  stopWatch(): void {
    this.watch.stop();
  }

  /** What others took or changed is made anew before anyone asks. */
  private async look({ rules, presence }: Found): Promise<Sight> {
    if (this.unmended) return this.makeAnew();
    if (!this.prepared) return "well";
    if (this.changing > 0) return "later";
    const { table, bridges, missing, call, logger } = this.options;
    const names = bridges().map(({ bridge }) => bridge);
    const gone = rules || presence ? missing({ table, bridges: names }) : [];
    if (gone.length > 0) {
      logger.warn("others removed what networks need; making it anew", { missing: gone.join(", ") });
      return this.makeAnew();
    }
    // asked in one step with what is recorded: the Worker has done by then what was asked of it before
    const changed = rules ? await call("differences", this.model()) : [];
    if (changed.length > 0 && this.standing) {
      logger.info("others changed packet rules of networks; making them anew", {
        table,
        changed: changed.join(", "),
      });
      return this.makeAnew();
    }
    this.pass();
    return "well";
  }

  private async makeAnew(): Promise<Sight> {
    this.unmended = false;
    this.distrust();
    try {
      await this.ensure();
      return "mended";
    } catch (error) {
      this.unmended = true;
      this.options.logger.error("networks could not be mended", { error: messageOf(error) });
      return "failed";
    }
  }

  /** Nobody waits for it: containers reach each other and the host without. */
  private pass(): void {
    this.options.passage
      .ensure()
      .catch((error: unknown) =>
        this.options.logger.warn("look at other firewalls", { error: messageOf(error) }),
      );
  }

  private async forget(flows: FlowsPlan): Promise<void> {
    if (flows.to.length + flows.at.length > 0) await this.options.call("forgetFlows", flows);
  }

  /** One change of elements; where the table is not what it should be (someone flushed it), it is made anew. */
  private async change(commands: string): Promise<void> {
    try {
      await this.options.call("changeRules", { commands });
    } catch (error) {
      this.options.logger.warn("packet rules were changed by others; making them anew", {
        error: messageOf(error),
      });
      this.distrust();
      await this.ensure();
    }
  }
}

const countOf = ({ published, routed }: PortRules): number => published.length + routed.length;

function rulesOf({ bridge, v4, v6, mode4, mode6, icc, internal, masquerade }: BridgeNetwork): BridgeRules {
  const families = [
    ...(v4 ? [{ family: 4 as const, mode: mode4, subnet: formatSubnet(v4.subnet) }] : []),
    ...(v6 ? [{ family: 6 as const, mode: mode6, subnet: formatSubnet(v6.subnet) }] : []),
  ];
  const hides = masquerade && !internal;
  return {
    name: bridge,
    subnets: families.map(({ subnet }) => subnet),
    masqueraded: families
      .filter(({ mode }) => hides && (mode === "nat" || mode === "nat-unprotected"))
      .map(({ subnet }) => subnet),
    icc,
    internal,
    open: families.flatMap(({ family, mode }) => (mode === "nat-unprotected" ? [family] : [])),
  };
}
