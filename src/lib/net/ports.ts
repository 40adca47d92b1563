/** Ports as Docker writes them: `80`, `80/tcp`, `8000-8010/udp`. */
export type PortProtocol = "tcp" | "udp" | "sctp";

export interface PortRange {
  first: number;
  last: number;
  protocol: PortProtocol;
}

const protocols: readonly string[] = ["tcp", "udp", "sctp"];

/** `undefined` for what is no port: out of 0–65535, a range that goes down, an unknown protocol. */
export function parsePort(text: string): PortRange | undefined {
  const [range = "", protocol = "tcp", ...rest] = text.split("/");
  const name = (protocol === "" ? "tcp" : protocol).toLowerCase();
  if (rest.length > 0 || !protocols.includes(name)) return undefined;
  const ends = parseRange(range);
  return ends && { ...ends, protocol: name as PortProtocol };
}

/** `80` or `80-90`. */
export function parseRange(text: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return last > 65535 || first > last ? undefined : { first, last };
}
