import { isIP } from "node:net";
import { EngineError } from "../../lib/errors.ts";

/** Refuses servers that are no addresses: the text of resolv.conf(5) is made of them. */
export function checkNameServers(servers: readonly string[]): void {
  for (const server of servers)
    if (!isIP(server))
      throw new EngineError(
        "invalid",
        `bad nameserver address ${server}: ParseAddr(${JSON.stringify(server)}): ${faultOf(server)}`,
      );
}

/** Go's words (net/netip) for what is no address; of IPv6 only the common ones. */
function faultOf(text: string): string {
  const separator = /[.:%]/.exec(text)?.[0];
  if (separator === ".") return ipv4Fault(text);
  if (separator === "%") return "missing IPv6 address";
  return separator === ":" && text.endsWith("%") ? "zone must be a non-empty string" : "unable to parse IP";
}

function ipv4Fault(text: string): string {
  const strange = /[^\d.]/.exec(text);
  const fields = (strange ? text.slice(0, strange.index) : text).split(".");
  if (fields.some((field) => /^0\d/.test(field))) return "IPv4 field has octet with leading zero";
  if (fields.some((field) => Number(field) > 255)) return "IPv4 field has value >255";
  if (strange) return `unexpected character (at ${JSON.stringify(text.slice(strange.index))})`;
  const empty = fields.indexOf("");
  if (empty >= 0) {
    // Go is at the dot that ends the field, at the end of the text at the last one
    const before = fields.slice(0, empty).join(".").length;
    const at = empty > 0 && empty < fields.length - 1 ? before + 1 : before;
    return `IPv4 field must have at least one digit (at ${JSON.stringify(text.slice(at))})`;
  }
  return fields.length > 4 ? "IPv4 address too long" : "IPv4 address too short";
}
