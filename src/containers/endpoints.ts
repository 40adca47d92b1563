import type { EndpointSettings } from "../types/api.ts";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";

const empty: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: "",
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: "",
  EndpointID: "",
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/** A container's place in each of its networks: as wired while it runs, else as asked. */
export function endpointsOf(ctx: Context, container: Container): Record<string, EndpointSettings> {
  const wired = container.life.sandbox?.endpoints ?? {};
  const tried = !container.neverStarted || container.life.error !== "";
  return Object.fromEntries(
    Object.entries(container.spec.networks).map(([name, asked]) => {
      const there = wired[name];
      if (there) return [name, { ...empty, ...there }];
      return [name, { ...empty, ...asked, ...(tried ? { NetworkID: networkId(ctx, name) } : {}) }];
    }),
  );
}

function networkId(ctx: Context, name: string): string {
  return ctx.networks.list().find((network) => network.Name === name || network.Id === name)?.Id ?? "";
}
