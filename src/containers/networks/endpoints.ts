import { emptyEndpoint } from "../../lib/endpoint-settings.ts";
import type { SandboxState } from "../../network/contract.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { KnownNetwork } from "../contract.ts";

/** A container's place in each of its networks: as wired while it runs, else as asked. */
export function endpointsOf(ctx: Context, container: Container): Record<string, EndpointSettings> {
  const wired = container.life.sandbox?.endpoints ?? {};
  const known = container.life.networks ?? {};
  const tried = !container.neverStarted || container.life.error !== "";
  return Object.fromEntries(
    Object.entries(container.spec.networks).map(([name, asked]) => {
      const there = wired[name];
      if (there) return [name, { ...emptyEndpoint, ...there }];
      const before = known[name];
      const told = {
        ...emptyEndpoint,
        ...asked,
        MacAddress: "",
        DNSNames: before?.dnsNames ?? null,
        NetworkID: before?.id ?? (tried ? (ctx.networks.lookUp(name)?.Id ?? "") : ""),
      };
      return [name, told];
    }),
  );
}

/** What stays known of the networks when the sandbox is gone: Docker starts a container in these very networks again. */
export const knownNetworks = ({ endpoints }: SandboxState): Record<string, KnownNetwork> =>
  Object.fromEntries(
    Object.entries(endpoints).map(([name, { NetworkID, DNSNames }]) => [
      name,
      { id: NetworkID, dnsNames: DNSNames },
    ]),
  );
