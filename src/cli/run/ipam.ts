import { BlockList, isIP } from "node:net";

interface IpamFlags {
  subnet: readonly string[];
  ipRange: readonly string[];
  gateway: readonly string[];
  auxAddress: Readonly<Record<string, string>>;
}

interface IpamConfig {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

const bits = (address: string): number => (isIP(address) === 6 ? 128 : 32);

function parseCidr(text: string): { address: string; prefix: number } {
  const [address = "", prefix = ""] = text.split("/");
  if (isIP(address) === 0 || !/^\d+$/.test(prefix) || Number(prefix) > bits(address))
    throw new Error(`invalid CIDR address: ${text}`);
  return { address, prefix: Number(prefix) };
}

/** Whether a subnet holds an address, or the whole of another network. */
function contains(subnet: string, other: string): boolean {
  const { address, prefix } = parseCidr(subnet);
  const inner = other.includes("/") ? parseCidr(other) : { address: other, prefix: bits(other) };
  if (isIP(inner.address) !== isIP(address) || inner.prefix < prefix) return false;
  const block = new BlockList();
  block.addSubnet(address, prefix, isIP(address) === 6 ? "ipv6" : "ipv4");
  return block.check(inner.address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** Sorts ranges, gateways and further addresses to the subnets they lie in. */
export function ipamConfig({ subnet, ipRange, gateway, auxAddress }: IpamFlags): IpamConfig[] {
  if (subnet.length < ipRange.length || subnet.length < gateway.length)
    throw new Error("every ip-range or gateway must have a corresponding subnet");
  const configs = subnet.map((each): IpamConfig => ({ Subnet: each }));
  for (const [index, each] of subnet.entries()) {
    if (index > 0 && subnet.slice(0, index).some((other) => contains(other, each) || contains(each, other)))
      throw new Error("multiple overlapping subnet configuration is not supported");
  }
  for (const range of ipRange) {
    parseCidr(range);
    place(
      configs,
      range,
      "range",
      (config) => {
        config.IPRange ??= range;
        return config.IPRange === range;
      },
      (of) => `cannot configure multiple ranges (${range}, ${of.IPRange}) on the same subnet (${of.Subnet})`,
    );
  }
  for (const address of gateway)
    place(
      configs,
      address,
      "gateway",
      (config) => {
        config.Gateway ??= address;
        return config.Gateway === address;
      },
      (of) =>
        `cannot configure multiple gateways (${address}, ${of.Gateway}) for the same subnet (${of.Subnet})`,
    );
  for (const [name, address] of Object.entries(auxAddress)) {
    const config = configs.find(({ Subnet }) => contains(Subnet, address));
    if (!config) throw new Error(`no matching subnet for aux-address ${address}`);
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
  }
  return configs;
}

function place(
  configs: IpamConfig[],
  value: string,
  what: string,
  set: (config: IpamConfig) => boolean,
  twice: (config: IpamConfig) => string,
): void {
  const config = configs.find(({ Subnet }) => contains(Subnet, value));
  if (!config) throw new Error(`no matching subnet for ${what} ${value}`);
  if (!set(config)) throw new Error(twice(config));
}
