import type { ContainerInspect, EndpointSettings } from "../../types/api.ts";
import type { ImageRunConfig } from "../../types/oci.ts";
import { each, given, type Option, when } from "./option.ts";

/** Networks, addresses, names and ports. */
export function networks(container: ContainerInspect, image: ImageRunConfig): Option[] {
  const { Config: config, HostConfig: host } = container;
  return [
    ...attachments(container),
    ...given("--mac-address", "mac_address", config.MacAddress),
    ...ports(container),
    ...exposed(container, image),
    ...when(host.PublishAllPorts, "--publish-all", ""),
    ...each("--dns", "dns", host.Dns),
    ...each("--dns-option", "dns_opt", host.DnsOptions),
    ...each("--dns-search", "dns_search", host.DnsSearch),
    ...each("--add-host", "extra_hosts", host.ExtraHosts),
    ...each("--link", "links", (host.Links ?? []).map(plainLink)),
  ];
}

/** `/other:/this/alias`, as inspect tells it → `other:alias`. */
function plainLink(link: string): string {
  const [other = "", alias = ""] = link.split(":");
  return `${other.replace(/^\//, "")}:${alias.split("/").at(-1) ?? ""}`;
}

function attachments({ Id, HostConfig, NetworkSettings }: ContainerInspect): Option[] {
  const mode = HostConfig.NetworkMode;
  if (mode === "bridge" || mode === "default") return [];
  if (/^(host|none)$|^container:/.test(mode)) return given("--network", "network_mode", mode);
  const others = Object.keys(NetworkSettings.Networks).filter((name) => name !== mode);
  return [mode, ...others].map((name) => {
    const { value, composed } = attachment(name, Id, NetworkSettings.Networks[name]);
    return { flag: "--network", value, key: "networks", composed: { [name]: composed } };
  });
}

/** The short form, or the long one where an address or a name was asked for. */
function attachment(name: string, id: string, endpoint: EndpointSettings | undefined) {
  const ip = endpoint?.IPAMConfig?.IPv4Address ?? "";
  const ip6 = endpoint?.IPAMConfig?.IPv6Address ?? "";
  const aliases = (endpoint?.Aliases ?? []).filter((alias) => alias !== id.slice(0, 12));
  const fields = [
    ...(ip ? [`ip=${ip}`] : []),
    ...(ip6 ? [`ip6=${ip6}`] : []),
    ...aliases.map((alias) => `alias=${alias}`),
  ];
  return {
    value: fields.length > 0 ? [`name=${name}`, ...fields].join(",") : name,
    composed: {
      ...(ip ? { ipv4_address: ip } : {}),
      ...(ip6 ? { ipv6_address: ip6 } : {}),
      ...(aliases.length > 0 ? { aliases } : {}),
    },
  };
}

function ports({ HostConfig }: ContainerInspect): Option[] {
  return Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).flatMap(({ HostIp, HostPort }) => {
      const ip = HostIp === "" ? "" : `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:`;
      const host = HostPort !== "" || ip !== "" ? `${HostPort}:` : "";
      return each("--publish", "ports", [`${ip}${host}${port.replace(/\/tcp$/, "")}`]);
    }),
  );
}

/** Published ports are exposed anyway. */
function exposed({ Config, HostConfig }: ContainerInspect, image: ImageRunConfig): Option[] {
  const known = { ...(image.ExposedPorts ?? {}), ...(HostConfig.PortBindings ?? {}) };
  const own = Object.keys(Config.ExposedPorts ?? {}).filter((port) => !Object.hasOwn(known, port));
  return each(
    "--expose",
    "expose",
    own.map((port) => port.replace(/\/tcp$/, "")),
  );
}
