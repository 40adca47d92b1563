import type { EndpointSettings } from "../../types/api.ts";

/** A place in a network of which nothing is known and nothing was asked, as Docker tells it. */
export const emptyEndpoint: Readonly<EndpointSettings> = {
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
