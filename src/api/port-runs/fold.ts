import { portKey, portMax, rangeText } from "../../lib/net/port-runs.ts";
import { turns } from "../../lib/turns.ts";
import type { ExposedPorts, PortBinding, PortMap } from "../../types/api.ts";

/** smaller bodies are read as they are, characters */
const foldedFrom = 64 * 1024;

interface Folded {
  /** the text with empty objects in place of the ports */
  rest: string;
  exposed: ExposedPorts | undefined;
  bindings: PortMap | undefined;
}

/**
 * Takes the ports out of a create's body, as runs (`lib/net/port-runs.ts`), without an object for each of them. Undefined
 * where there are few, or where they are not written plainly: then the body is read as it is.
 */
export async function foldPorts(source: string): Promise<Folded | undefined> {
  if (source.length < foldedFrom) return undefined;
  const bindings = await fold(source, "PortBindings", bound);
  const exposed = await fold(bindings?.rest ?? source, "ExposedPorts", bare);
  if (!bindings && !exposed) return undefined;
  return {
    rest: (exposed ?? bindings)?.rest ?? source,
    exposed: exposed && Object.fromEntries(exposed.runs.map((run) => [keyOf(run), each(run)])),
    bindings: bindings && Object.fromEntries(bindings.runs.map((run) => [keyOf(run), bindingsIn(run)])),
  };
}

/** what JSON takes for nothing between two words */
const gap = "[ \\t\\n\\r]*";
const plain = (pattern: string): RegExp => new RegExp(pattern.replaceAll("~", gap), "y");
const port = '~"([1-9]\\d{0,4})\\/(tcp|udp|sctp)"~:~';
/** `"80/tcp": {},` */
const bare = plain(`${port}\\{~()\\}~([,}])`);
/** `"80/tcp": [{"HostIp": "", "HostPort": "80"}],` also without one of the two, or the other way round */
const field = '"(?:HostIp"~:~"[0-9a-fA-F.:]*|HostPort"~:~"(?:[1-9]\\d{0,4})?)"';
const binding = `\\{~${field}(?:~,~${field})?~\\}`;
const bound = plain(`${port}\\[(~${binding}(?:~,~${binding})*)~\\]~([,}])`);
const opening = plain("~:~\\{");

/** Neighbours whose bindings are at the same distance. */
interface Run {
  first: number;
  last: number;
  protocol: string;
  likeness: string;
}

/** The one object of this name, where all of its entries are such; in its place the text has an empty one. */
async function fold(
  source: string,
  name: string,
  entry: RegExp,
): Promise<{ rest: string; runs: Run[] } | undefined> {
  const at = source.indexOf(`"${name}"`);
  // a quote within a text has a backslash before it: such a place is not a name
  if (at < 1 || source[at - 1] === "\\") return undefined;
  opening.lastIndex = at + name.length + 2;
  if (!opening.test(source)) return undefined;
  const from = opening.lastIndex;
  const found = new Map<string, (string | undefined)[]>();
  const turn = turns();
  entry.lastIndex = from;
  for (let count = 1; ; count++) {
    const match = entry.exec(source);
    if (!match) return undefined;
    const end = entry.lastIndex;
    const [, port = "", protocol = "", list = "", next] = match;
    const ports = found.get(protocol) ?? [];
    found.set(protocol, ports);
    const likeness = likenessOf(Number(port), list);
    if (Number(port) > portMax || ports[Number(port)] !== undefined || likeness === undefined)
      return undefined;
    ports[Number(port)] = likeness;
    if (next === "}") {
      const rest = `${source.slice(0, from)}}${source.slice(end)}`;
      // Go takes a name in any letters: what has it twice is not plain
      if (rest.match(new RegExp(`"${name}"`, "gi"))?.length !== 1) return undefined;
      return { rest, runs: [...found].flatMap(([each, all]) => runsOf(each, all)) };
    }
    if (count % 64 === 0) await turn();
    entry.lastIndex = end; // others have read with it meanwhile
  }
}

/** Equal for ports whose bindings are at the same distance: "127.0.0.1 8000,[…]", and without a number for "any". */
function likenessOf(port: number, list: string): string | undefined {
  const parts: string[] = [];
  for (const [one] of list.matchAll(/\{[^}]*\}/g)) {
    const fields = [...one.matchAll(/"(HostIp|HostPort)"[^"]*"([^"]*)"/g)];
    const { HostIp = "", HostPort = "" } = Object.fromEntries(fields.map(([, name, value]) => [name, value]));
    if (Number(HostPort) > portMax || (fields.length > 1 && fields[0]?.[1] === fields[1]?.[1]))
      return undefined;
    parts.push(`${HostIp} ${HostPort === "" ? "" : Number(HostPort) - port}`);
  }
  return parts.join();
}

function runsOf(protocol: string, ports: readonly (string | undefined)[]): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < ports.length; first++) {
    const likeness = ports[first];
    if (likeness === undefined) continue;
    let last = first;
    while (ports[last + 1] === likeness) last++;
    runs.push({ first, last, protocol, likeness });
    first = last;
  }
  return runs;
}

const keyOf = ({ first, last, protocol }: Run): string => portKey(first, last, protocol);
const each = ({ first, last }: Run): { Each?: true } => (first < last ? { Each: true } : {});

function bindingsIn(run: Run): PortBinding[] {
  return run.likeness.split(",").map((one) => {
    const [HostIp = "", distance = ""] = one.split(" ");
    const [first, last] = [run.first + Number(distance), run.last + Number(distance)];
    return { HostIp, HostPort: distance === "" ? "" : rangeText(first, last), ...each(run) };
  });
}
