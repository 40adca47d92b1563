import { isIP } from "node:net";
import type { Words } from "../../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../../lib/errors.ts";
import { parseRange } from "../../../lib/net/ports.ts";
import type { StageState } from "../state.ts";

/** EXPOSE, which also takes what it should not: addresses and host ports. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

export function applyExpose(state: StageState, instruction: Words): void {
  const words = instruction.words.flatMap(
    (word) => state.expandQuietly(word, { escapeToken: instruction.source.escape }).words,
  );
  const ports = words.flatMap((word) => portsOf(word, state, instruction));
  const added = Object.fromEntries(ports.map((port) => [port, {}]));
  state.config = { ...state.config, ExposedPorts: { ...state.config.ExposedPorts, ...added } };
  state.commit(`EXPOSE [${ports.join(" ")}]`, ` EXPOSE ${words.toSorted().join(" ")}`);
}

function portsOf(text: string, state: StageState, instruction: Words): string[] {
  const parts = text.split(":");
  const own = parts.at(-1) ?? "";
  const hostPort = parts.at(-2) ?? "";
  const address = parts.slice(0, -2).join(":");
  const { port, protocol } = splitProtocol(own, text);
  if (protocol !== protocol.toLowerCase()) state.report("ExposeProtoCasing", instruction, text);
  if (address !== "" || hostPort !== "") state.report("ExposeInvalidFormat", instruction, text);
  requireAddress(address);
  const range = parseRange(port);
  if (!range) throw invalid(`invalid containerPort: ${port}`);
  requireHostPort(hostPort, port, range);
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, index) => `${range.first + index}/${protocol.toLowerCase()}`,
  );
}

function splitProtocol(own: string, text: string): { port: string; protocol: string } {
  const [port = "", ...rest] = own.split("/");
  const protocol = rest.join("/") || "tcp";
  const wrong = (reason: string) => invalid(`invalid port: ${JSON.stringify(text)}: ${reason}`);
  if (port === "") throw wrong("no port specified");
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw wrong(`invalid proto: ${protocol}`);
  return { port, protocol };
}

function requireAddress(address: string): void {
  const plain = address.startsWith("[") ? address.slice(1, -1) : address;
  if (plain !== "" && isIP(plain) === 0) throw invalid(`invalid IP address: ${plain}`);
}

function requireHostPort(hostPort: string, port: string, range: { first: number; last: number }): void {
  if (hostPort === "") return;
  const host = parseRange(hostPort);
  if (!host) throw invalid(`invalid hostPort: ${hostPort}`);
  if (range.last !== range.first && range.last - range.first !== host.last - host.first)
    throw invalid(`invalid ranges specified for container and host Ports: ${port} and ${hostPort}`);
}
