import { ipBytes, parseIp } from "../addresses/ip.ts";
import type { FlowsPlan } from "../worker/protocol.ts";
import type { PortRules, PublishedRule } from "./rules.ts";

const udpOf = ({ published }: PortRules): PublishedRule[] =>
  published.filter(({ protocol }) => protocol === "udp");

/** UDP clients do not notice that the other end is new, and may send without a pause: the kernel would go by what was. */
export const flowsBefore = (ports: PortRules): FlowsPlan => ({
  to: [],
  at: udpOf(ports).map(({ hostIp, hostPort, count = 1 }) => ({
    family: hostIp.includes(":") ? 6 : 4,
    first: hostPort,
    last: hostPort + count - 1,
  })),
});

/** Those that lead to a container whose ports are published no longer. */
export const flowsAfter = (ports: PortRules): FlowsPlan => {
  const addresses = new Set(udpOf(ports).map(({ containerIp }) => containerIp));
  const to = [...addresses].flatMap((text) => {
    const ip = parseIp(text);
    return ip ? [ipBytes(ip)] : [];
  });
  return { to, at: [] };
};
