import { emptyEndpoint } from "../../lib/net/endpoint-settings.ts";
import type { SandboxState } from "../../network/contract.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { KnownNetwork } from "../contract.ts";

/** A container's place in each of its networks: as wired while it runs, else as asked. */
export function endpointsOf(ctx: Context, container: Container): Record<string, EndpointSettings> {
  const wired = container.life.sandbox?.endpoints ?? {};
  const known = container.life.networks ?? {};
  const tried = wasTried(container);
  return Object.fromEntries(
    // by name, as Go tells a map
    Object.entries(container.spec.networks)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, asked]) => {
        const there = wired[name];
        if (there) return [name, { ...emptyEndpoint, ...there }];
        const before = known[name];
        const told = {
          ...emptyEndpoint,
          ...asked,
          MacAddress: asked.MacAddress ?? "",
          DNSNames: before?.dnsNames ?? null,
          NetworkID: before?.id ?? (tried ? (ctx.networks.lookUp(name)?.Id ?? "") : ""),
        };
        return [name, told];
      }),
  );
}

/** A start was made or tried: from then on Docker tells the networks' ids. */
const wasTried = ({ neverStarted, life }: Container): boolean => !neverStarted || life.error !== "";

/** Whether `endpointsOf` needs nothing but the container's own record. */
export const endpointsAreKnown = (container: Container): boolean =>
  !wasTried(container) ||
  Object.keys(container.spec.networks).every(
    (name) => container.life.sandbox?.endpoints[name] ?? container.life.networks?.[name],
  );

/** What stays known of the networks when the sandbox is gone: Docker starts a container in these very networks again. */
export const knownNetworks = ({ endpoints }: SandboxState): Record<string, KnownNetwork> =>
  Object.fromEntries(
    Object.entries(endpoints).map(([name, { NetworkID, DNSNames }]) => [
      name,
      { id: NetworkID, dnsNames: DNSNames },
    ]),
  );
