import { EngineError } from "../lib/errors.ts";
import type { EndpointSettings } from "../types/api.ts";
import type { SandboxRequest } from "./contract.ts";
import { ipv4Bytes } from "./ipv4.ts";
import { checkPort } from "./ports/published.ts";

/** "02:42:ac:11:00:02" ↔ six bytes; `undefined` for what is no MAC address. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Buffer.from(text.replace(/[:-]/g, ""), "hex");
}

export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");

/**
 * The MAC of an address, as Docker made them for long: the next owner of the address has it too, so nobody's
 * neighbour table goes stale.
 */
export const macOf = (address: number): Uint8Array =>
  Buffer.concat([Buffer.of(0x02, 0x42), ipv4Bytes(address)]);

/** What a predefined network cannot do, in Docker's sentences. */
export function checkRequest(request: SandboxRequest): void {
  for (const [network, settings] of Object.entries(request.networks)) checkEndpoint(network, settings);
  for (const port of request.ports) checkPort(port);
}

function checkEndpoint(network: string, settings: Partial<EndpointSettings>): void {
  const faults: string[] = [];
  if (settings.MacAddress && !parseMac(settings.MacAddress))
    faults.push(`invalid MAC address ${settings.MacAddress}`);
  const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {};
  if (predefined.has(network)) {
    if (IPv4Address || IPv6Address)
      faults.push(
        "user specified IP address is supported on user defined networks only",
        "user specified IP address is supported only when connecting to networks with user configured subnets",
      );
    if ((settings.Aliases ?? []).length > 0)
      faults.push("network-scoped aliases are only supported for user-defined networks");
  }
  if (faults.length > 0)
    throw new EngineError(
      "invalid",
      `invalid config for network ${network}: invalid endpoint settings:\n${faults.map((fault) => `* ${fault}`).join("\n")}`,
    );
}

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none", "default"]);

/** What `inspect` tells of an endpoint: what was asked, and what it got. */
export const endpointSettings = (
  asked: Partial<EndpointSettings>,
  got: Partial<EndpointSettings> & { NetworkID: string; EndpointID: string },
): EndpointSettings => ({
  IPAMConfig: asked.IPAMConfig ?? null,
  Links: asked.Links ?? null,
  Aliases: asked.Aliases ?? null,
  MacAddress: "",
  DriverOpts: asked.DriverOpts ?? null,
  GwPriority: asked.GwPriority ?? 0,
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
  ...got,
});
