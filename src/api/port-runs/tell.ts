import { bindingsOf, eachPort, hasRuns, portKey } from "../../lib/net/port-runs.ts";
import { stringify } from "../../lib/wire/json.ts";
import type {
  ContainerInspect,
  ContainerSummary,
  ExposedPorts,
  PortMap,
  PortSummary,
} from "../../types/api.ts";
import { contentTypes, json, type Reply } from "../reply.ts";

/** characters of a piece */
const pieceLength = 16_384;
/** stands for ports until they are written; nobody can guess it */
const gap = crypto.randomUUID();

/** A list of containers, each port told by itself. */
export const toldList = (containers: readonly ContainerSummary[]): Reply =>
  containers.some(({ Ports }) => hasMany(Ports)) ? inPieces(containers) : json(containers);

const hasMany = (ports: readonly PortSummary[]): boolean => ports.some(({ Count }) => Count !== undefined);

/** The same of one container with all of its details. */
export function toldContainer(container: ContainerInspect): Reply {
  const { Config, HostConfig, NetworkSettings } = container;
  const many =
    hasRuns(Config.ExposedPorts) || hasRuns(HostConfig.PortBindings) || hasRanges(NetworkSettings.Ports);
  return many ? inPieces(container) : json(container);
}

/** Thousands of ports are written piece by piece, between which others have their turns. */
function inPieces(value: unknown): Reply {
  const parts: Generator<string>[] = [];
  const text = stringify(value, (key, item) => {
    const entries = entriesOf(key, item);
    if (!entries) return item;
    parts.push(entries);
    return gap;
  });
  return { kind: "stream", status: 200, contentType: contentTypes.json, body: filled(text, parts) };
}

async function* filled(text: string, parts: readonly Generator<string>[]): AsyncGenerator<string> {
  for (const [index, between] of text.split(`"${gap}"`).entries()) {
    yield between;
    for (const piece of parts[index] ?? []) {
      yield piece;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  yield "\n";
}

/** What is published now: an entry that only exposes has no bindings to tell by whether it stands for many. */
const hasRanges = (ports: PortMap): boolean => Object.keys(ports).some((key) => key.includes("-"));

/** What is written for a field that holds runs. */
function entriesOf(key: string, value: unknown): Generator<string> | undefined {
  switch (key) {
    case "ExposedPorts":
      return hasRuns(value as ExposedPorts)
        ? joined("{", exposedEntries(value as ExposedPorts), "}")
        : undefined;
    case "PortBindings":
      return hasRuns(value as PortMap) ? joined("{", bindingEntries(value as PortMap), "}") : undefined;
    case "Ports":
      if (Array.isArray(value)) return hasMany(value) ? joined("[", summaryEntries(value), "]") : undefined;
      return hasRanges(value as PortMap) ? joined("{", bindingEntries(value as PortMap), "}") : undefined;
    default:
      return undefined;
  }
}

function* exposedEntries(ports: ExposedPorts): Generator<string> {
  for (const { first, protocol } of eachPort(ports)) yield `"${first}/${protocol}":{}`;
}

function* bindingEntries(ports: PortMap): Generator<string> {
  for (const one of eachPort(ports))
    yield `"${one.first}/${one.protocol}":${JSON.stringify(one.value && bindingsOf(one.value, one))}`;
}

function* summaryEntries(summaries: readonly PortSummary[]): Generator<string> {
  const ports: Record<string, PortSummary[]> = {};
  for (const summary of summaries) {
    const { PrivatePort, Type, Count = 1 } = summary;
    const key = portKey(PrivatePort, PrivatePort + Count - 1, Type);
    ports[key] = [...(ports[key] ?? []), summary];
  }
  for (const { first, value, offset } of eachPort(ports))
    for (const { IP, PublicPort, Type } of value)
      yield JSON.stringify({
        ...(IP === undefined ? {} : { IP }),
        PrivatePort: first,
        ...(PublicPort === undefined ? {} : { PublicPort: PublicPort && PublicPort + offset }),
        Type,
      });
}

function* joined(open: string, entries: Iterable<string>, close: string): Generator<string> {
  let piece = open;
  let first = true;
  for (const entry of entries) {
    piece += first ? entry : `,${entry}`;
    first = false;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  yield piece + close;
}
