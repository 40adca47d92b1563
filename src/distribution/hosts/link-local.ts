import { hostOf } from "./insecure.ts";
import { inNetwork } from "./network.ts";

/** Link-local addresses, also as IPv6 writes IPv4's (mapped, NAT64), and the one of a cloud's metadata beside them. */
const networks = [
  "169.254.0.0/16",
  "::ffff:a9fe:0/112",
  "64:ff9b::a9fe:0/112",
  "fe80::/10",
  "fd00:ec2::254/128",
];

/**
 * Whether a registry leads to a link-local address, written as such (names are not looked up): services there (a cloud's
 * metadata) answer this machine with secrets that are not for the registry. A registry whose own address it is, or that
 * the options name, may.
 */
export function leadsToLinkLocal(from: URL, to: URL, configured: readonly string[]): boolean {
  const host = hostOf(to.host);
  if (to.host === from.host || !networks.some((network) => inNetwork(host, network))) return false;
  return !configured.some((each) => each === to.host || each === host || inNetwork(host, each));
}
