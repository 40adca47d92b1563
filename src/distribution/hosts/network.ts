import { BlockList, isIP } from "node:net";

/** Whether an address lies in a network (`10.0.0.0/8`, `fd00::/8`); false for names and malformed networks. */
export function inNetwork(address: string, network: string): boolean {
  const family = isIP(address);
  const [base = "", bits = ""] = network.split("/");
  if (family === 0 || isIP(base) !== family || !/^\d{1,3}$/.test(bits)) return false;
  const prefix = Number(bits);
  if (prefix > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(base, prefix, family === 4 ? "ipv4" : "ipv6");
  return list.check(address, family === 4 ? "ipv4" : "ipv6");
}
