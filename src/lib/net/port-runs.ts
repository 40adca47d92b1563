/**
 * Ports by the thousand. On the wire each has an entry of its own: `-p 1-65535:1-65535` is 4 MB of JSON, which takes
 * seconds as one object. In the engine neighbours that are alike are one entry, a *run*: "1-65535/tcp", whose bindings are
 * marked with `Each` and have ranges of the same length as host ports. No client can say it (there a range of host ports
 * is a choice), and none sees it: `api/port-runs` folds what comes and tells each port by itself.
 */
import type { ExposedPorts, PortBinding, PortMap } from "../../types/api.ts";
import { type PortProtocol, parsePort, parseRange } from "./ports.ts";

export const portMax = 65535;

/** `80/tcp`, `80-90/tcp`. */
export const portKey = (first: number, last: number, protocol: string): string =>
  `${rangeText(first, last)}/${protocol}`;

export const rangeText = (first: number, last: number): string =>
  first === last ? String(first) : `${first}-${last}`;

const isRun = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(isRun) : (value as { Each?: unknown } | null)?.Each === true;

/** Whether any of these ports stand for many. */
export const hasRuns = (ports: PortMap | ExposedPorts | null | undefined): boolean =>
  Object.values(ports ?? {}).some(isRun);

/** Neighbours that have one entry. */
interface Stretch<T> {
  first: number;
  last: number;
  protocol: PortProtocol;
  value: T;
  /** how far behind the entry's own first port it begins */
  offset: number;
}

/** The ports of several maps as one: what a later one says of a port counts. In the order of their numbers. */
export function* stretches<T>(...maps: readonly Record<string, T>[]): Generator<Stretch<T>> {
  const { entries, protocols } = placesOf(maps);
  for (const [protocol, places] of protocols)
    for (let first = 0; first <= portMax; first++) {
      const entry = entries[(places[first] ?? 0) - 1];
      if (!entry) continue;
      let last = first;
      while (last < portMax && places[last + 1] === places[first]) last++;
      yield { first, last, protocol, value: entry.value, offset: first - entry.first };
      first = last;
    }
}

/** every port, in the order of their texts, as Go sorts the keys of a map */
let ordered: Uint16Array | undefined;

/** The same port by port, in the order of the keys' texts. */
export function* eachPort<T>(...maps: readonly Record<string, T>[]): Generator<Stretch<T>> {
  const { entries, protocols } = placesOf(maps);
  protocols.sort(([a], [b]) => (a < b ? -1 : 1));
  ordered ??= inOrder();
  for (const port of ordered)
    for (const [protocol, places] of protocols) {
      const entry = entries[(places[port] ?? 0) - 1];
      if (entry) yield { first: port, last: port, protocol, value: entry.value, offset: port - entry.first };
    }
}

function inOrder(): Uint16Array {
  const ports: number[] = [];
  /** it, and those whose texts begin with its own */
  const add = (port: number): void => {
    if (port > portMax) return;
    ports.push(port);
    for (let digit = 0; port > 0 && digit < 10; digit++) add(port * 10 + digit);
  };
  for (let first = 0; first < 10; first++) add(first);
  return Uint16Array.from(ports);
}

/** For each protocol, which entry a port is in: its place among them, counted from one. */
function placesOf<T>(maps: readonly Record<string, T>[]) {
  const entries: { value: T; first: number }[] = [];
  const places = new Map<PortProtocol, Uint32Array>();
  for (const [key, value] of maps.flatMap((map) => Object.entries(map))) {
    const range = parsePort(key);
    if (!range) continue;
    entries.push({ value, first: range.first });
    const known = places.get(range.protocol) ?? new Uint32Array(portMax + 1);
    places.set(range.protocol, known.fill(entries.length, range.first, range.last + 1));
  }
  return { entries, protocols: [...places] };
}

/** What a run's bindings are for a part of it. */
export function bindingsOf(
  bindings: readonly PortBinding[],
  { first, last, offset }: Pick<Stretch<unknown>, "first" | "last" | "offset">,
): PortBinding[] {
  const each = first < last ? { Each: true as const } : {};
  return bindings.map((binding) => {
    const { HostIp, HostPort } = binding;
    const from = binding.Each ? parseRange(HostPort)?.first : undefined;
    if (from === undefined) return binding.Each ? { HostIp, HostPort, ...each } : binding;
    return { HostIp, HostPort: rangeText(from + offset, from + offset + last - first), ...each };
  });
}

/** The same ports, where this one has an entry of its own. */
export function setApart(ports: PortMap, key: string): PortMap {
  const port = parsePort(key);
  return Object.fromEntries(
    Object.entries(ports).flatMap(([name, bindings]) => {
      const run = hasRuns({ [name]: bindings }) ? parsePort(name) : undefined;
      const within = port && run && run.protocol === port.protocol && run.first <= port.first;
      if (!within || port.last > run.last) return [[name, bindings]];
      const parts: [first: number, last: number][] = [
        [run.first, port.first - 1],
        [port.first, port.last],
        [port.last + 1, run.last],
      ];
      return parts
        .filter(([first, last]) => first <= last)
        .map(([first, last]) => [
          portKey(first, last, run.protocol),
          bindingsOf(bindings ?? [], { first, last, offset: first - run.first }),
        ]);
    }),
  );
}

/** The same ports without runs: as many entries as there are ports. */
export const oneByOne = (ports: ExposedPorts): Record<string, Record<string, never>> =>
  hasRuns(ports)
    ? Object.fromEntries([...eachPort(ports)].map(({ first, protocol }) => [`${first}/${protocol}`, {}]))
    : (ports as Record<string, Record<string, never>>);
