import { ipBytes, parseIp } from "../addresses/ip.ts";
import type { FlowsPlan } from "../worker/protocol.ts";
import type { PortRules, PublishedRule } from "./rules.ts";

/** each costs a walk through the whole connection table; beyond, such flows are left to the socket that holds the port */
const portsMax = 32;

const udpOf = ({ published }: PortRules): PublishedRule[] =>
  published.filter(({ protocol }) => protocol === "udp");

/** UDP clients do not notice that the other end is new, and may send without a pause: the kernel would go by what was. */
export const flowsBefore = (ports: PortRules): FlowsPlan => {
  const at = new Map(
    udpOf(ports).map(({ hostIp, hostPort }) => {
      const family: 4 | 6 = hostIp.includes(":") ? 6 : 4;
      return [`${family} ${hostPort}`, { family, port: hostPort }];
    }),
  );
  const runs = udpOf(ports).some(({ count = 1 }) => count > 1);
  return { to: [], at: runs || at.size > portsMax ? [] : [...at.values()] };
};

/** Those that lead to a container whose ports are published no longer. */
export const flowsAfter = (ports: PortRules): FlowsPlan => {
  const addresses = new Set(udpOf(ports).map(({ containerIp }) => containerIp));
  const to = [...addresses].flatMap((text) => {
    const ip = parseIp(text);
    return ip ? [ipBytes(ip)] : [];
  });
  return { to, at: [] };
};
