import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, list, map, maybeBool, string, strings } from "../../flags/flag.ts";
import { ipamConfig } from "../../run/ipam.ts";
import { pairs } from "../../run/key-value-files.ts";
import { label } from "../../run/values.ts";

export const command = defineCommand({
  hosted: true,
  usage: "NETWORK",
  arity: exactly(1),
  flags: {
    attachable: bool("attachable", "Let containers be connected by hand"),
    auxAddress: map("aux-address", "Addresses the driver uses itself"),
    configFrom: string("config-from", "Network whose configuration to copy"),
    configOnly: bool("config-only", "Create a configuration only"),
    driver: string("driver,d", "Driver of the network", "bridge"),
    gateway: strings("gateway", "Gateway of the subnet"),
    ingress: bool("ingress", "Create a routing mesh"),
    internal: bool("internal", "No way out of the network"),
    ipRange: strings("ip-range", "Part of the subnet that containers get addresses from"),
    ipamDriver: string("ipam-driver", "Driver of address management", "default"),
    ipamOpt: map("ipam-opt", "Options of that driver"),
    ipv4: maybeBool("ipv4", "Give out IPv4 addresses", { shownDefault: "true" }),
    ipv6: maybeBool("ipv6", "Give out IPv6 addresses"),
    label: list("label", "Set labels", label),
    opt: map("opt,o", "Options of the driver"),
    scope: string("scope", "How far the network reaches"),
    subnet: strings("subnet", "Subnet in CIDR form"),
  },
  async run({ session, args, flags }) {
    const body = {
      Name: args[0] ?? "",
      Driver: flags.driver,
      Scope: flags.scope,
      EnableIPv4: flags.ipv4,
      EnableIPv6: flags.ipv6,
      IPAM: { Driver: flags.ipamDriver, Options: flags.ipamOpt, Config: ipamConfig(flags) },
      Internal: flags.internal,
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      ConfigOnly: flags.configOnly,
      ConfigFrom: flags.configFrom ? { Network: flags.configFrom } : null,
      Options: flags.opt,
      Labels: pairs(flags.label),
    };
    const { Id, Warning } = await session.client.json<{ Id: string; Warning: string }>(
      "POST",
      "/networks/create",
      { json: body },
    );
    if (Warning) session.err(`WARNING: ${Warning}`);
    if (!Id) throw new CliError("the engine created no network");
    session.out(Id);
    return 0;
  },
});
