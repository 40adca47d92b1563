import { named } from "../../../client/named.ts";
import { defineCommand, exactly } from "../../command.ts";
import { int, list, string, strings } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";
import { endpoint } from "../../run/networks.ts";
import { link } from "../../run/values.ts";

export const command = defineCommand({
  hosted: true,
  usage: "NETWORK CONTAINER",
  arity: exactly(2),
  flags: {
    alias: strings("alias", "Further names on the network"),
    driverOpt: strings("driver-opt", "Options of the network's driver"),
    gwPriority: int("gw-priority", "The network of the highest priority has the default gateway"),
    ip: string("ip", 'IPv4 address (e.g. "172.30.100.104")'),
    ip6: string("ip6", 'IPv6 address (e.g. "2001:db8::33")'),
    link: list("link", "Link to another container", link),
    linkLocalIp: strings("link-local-ip", "Link-local addresses"),
  },
  async run({ session, args, flags }) {
    const [network = "", container = ""] = args;
    if (flags.driverOpt.some((option) => !/^[^=]+=/.test(option)))
      throw new Error("invalid key/value pair format in driver options");
    const config = endpoint({
      target: network,
      aliases: [...flags.alias],
      driverOpts: pairs(flags.driverOpt),
      ip: flags.ip,
      ip6: flags.ip6,
      macAddress: "",
      linkLocalIps: [...flags.linkLocalIp],
      gwPriority: flags.gwPriority,
      links: [...flags.link],
    });
    await session.client.call("POST", `/networks/${named("network", network)}/connect`, {
      json: { Container: container, EndpointConfig: config },
    });
    return 0;
  },
});
