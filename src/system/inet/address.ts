import { readFileSync } from "node:fs";
import { ipBytes } from "../../lib/net/ip-bytes.ts";
import { SystemError } from "../libc.ts";

export interface Endpoint {
  /** of either family; an IPv6 one may have a zone (`fe80::1%eth0`) */
  address: string;
  port: number;
}

const AF_INET = 2;
const AF_INET6 = 10;

export const familyOf = ({ address }: Endpoint): number => (address.includes(":") ? AF_INET6 : AF_INET);

/** `struct sockaddr_in` or `sockaddr_in6`: ip(7), ipv6(7). A zone is one of the calling thread's namespace. */
export function socketAddress(endpoint: Endpoint): Buffer {
  const bytes = ipBytes(endpoint.address);
  if (!bytes) throw new SystemError(`read address ${endpoint.address}`, "EINVAL");
  const v6 = bytes.length === 16;
  const address = Buffer.alloc(v6 ? 28 : 16);
  address.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  address.writeUInt16BE(endpoint.port, 2);
  address.set(bytes, v6 ? 8 : 4);
  const zone = /%(.+)$/.exec(endpoint.address)?.[1];
  if (v6 && zone !== undefined) address.writeUInt32LE(interfaceIndex(zone), 24);
  return address;
}

/** `%3` or `%eth0`, netdevice(7). */
function interfaceIndex(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone) >>> 0;
  if (!/^[\w.-]{1,15}$/.test(zone)) throw new SystemError(`find interface ${zone}`, "EINVAL");
  return Number(readFileSync(`/sys/class/net/${zone}/ifindex`, "utf8"));
}
