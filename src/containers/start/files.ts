import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxState } from "../../network/contract.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { type Context, folderOf } from "../context.ts";
import { linkedHosts } from "../links/start.ts";
import { joinedContainer } from "./join-mode.ts";

/** The three files an engine owns in a container: who it is, and how it finds others. */
export interface NameFiles {
  hosts: string;
  hostname: string;
  resolvConf: string;
}

const loopback: readonly string[] = [
  "127.0.0.1\tlocalhost\n",
  "::1\tlocalhost ip6-localhost ip6-loopback\n",
  "fe00::\tip6-localnet\n",
  "ff00::\tip6-mcastprefix\n",
  "ff02::1\tip6-allnodes\n",
  "ff02::2\tip6-allrouters\n",
];

export function nameFilesOf(ctx: Context, id: string): NameFiles {
  const folder = folderOf(ctx, id);
  return {
    hosts: join(folder, "hosts"),
    hostname: join(folder, "hostname"),
    resolvConf: join(folder, "resolv.conf"),
  };
}

/** Whether names are resolved for it: it is in a network that a user made. */
export const inUserNetwork = ({ spec }: Container): boolean =>
  Object.keys(spec.networks).some((name) => !["bridge", "host", "none"].includes(name));

/** Writes all three anew; `hosts` lacks the container's own address until `finishHosts`. */
export async function writeNameFiles(ctx: Context, container: Container): Promise<NameFiles> {
  const { config } = container.spec;
  const files = nameFilesOf(ctx, container.id);
  await mkdir(folderOf(ctx, container.id), { recursive: true, mode: 0o710 });
  const resolv = resolvText(ctx, container, inUserNetwork(container));
  await Promise.all([
    writeFile(files.hostname, `${config.Hostname}\n`, { mode: 0o644 }),
    writeFile(files.hosts, await hostsText(ctx, container, []), { mode: 0o644 }),
    resolv.then((text) => writeFile(files.resolvConf, text, { mode: 0o644 })),
  ]);
  return files;
}

function resolvText(ctx: Context, { spec }: Container, userNetwork: boolean): Promise<string> {
  const { Dns, DnsSearch, DnsOptions, NetworkMode } = spec.hostConfig;
  const or = (own: readonly string[] | null, engine: readonly string[]): string[] => [
    ...(own?.length ? own : engine),
  ];
  return ctx.networks.resolvConf({
    dns: or(Dns, ctx.config.dns),
    dnsSearch: or(DnsSearch, ctx.config.dnsSearch),
    dnsOptions: or(DnsOptions, ctx.config.dnsOptions),
    hostMode: NetworkMode === "host",
    userNetwork,
  });
}

/**
 * A running container joined its first user-defined network: the resolver there takes the servers' place, in place,
 * unless the container has made the file its own.
 */
export async function changeResolvConf(ctx: Context, container: Container): Promise<void> {
  const { resolvConf } = nameFilesOf(ctx, container.id);
  const { size } = await stat(resolvConf);
  if (size > filesSizeMax) return;
  const untouched = (await readFile(resolvConf, "utf8")) === (await resolvText(ctx, container, false));
  if (untouched) await writeFile(resolvConf, await resolvText(ctx, container, true));
}

/** Adds the container's own addresses, in place: the file is mounted already. */
export async function finishHosts(ctx: Context, container: Container, state: SandboxState): Promise<void> {
  const addresses = Object.values(state.endpoints).flatMap(addressesOf);
  if (addresses.length > 0)
    await writeFile(nameFilesOf(ctx, container.id).hosts, await hostsText(ctx, container, addresses));
}

const addressesOf = ({ IPAddress, GlobalIPv6Address }: EndpointSettings): string[] =>
  [IPAddress, GlobalIPv6Address].filter((address) => address !== "" && address !== undefined);

/** more than this is no file of the engine's any more */
const filesSizeMax = 1 << 20;

/** A network was joined or left: its lines come and go, in place; what the container wrote there stays. */
export async function changeHosts(
  ctx: Context,
  container: Container,
  { joined, left }: { joined?: EndpointSettings; left?: EndpointSettings },
): Promise<void> {
  const { hosts } = nameFilesOf(ctx, container.id);
  const { size } = await stat(hosts);
  if (size > filesSizeMax) return;
  const gone = new Set(left ? addressesOf(left) : []);
  const lines = (await readFile(hosts, "utf8")).split("\n");
  const kept = lines.filter((line) => !gone.has(line.split("\t")[0] ?? ""));
  const names = namesOf(container);
  const added = (joined ? addressesOf(joined) : [])
    .map((address) => `${address}\t${names}\n`)
    .filter((line) => hasFamily(container, line));
  const text = kept.join("\n");
  const ended = text === "" || text.endsWith("\n") || added.length === 0 ? text : `${text}\n`;
  await writeFile(hosts, `${ended}${added.join("")}`);
}

function namesOf({ spec: { config } }: Container): string {
  const { Hostname, Domainname } = config;
  const full = Domainname === "" ? Hostname : `${Hostname}.${Domainname}`;
  const at = full.indexOf(".");
  return at < 0 ? full : `${full} ${full.slice(0, at)}`;
}

const hostGateways = (ctx: Context): readonly string[] =>
  ctx.config.hostGatewayIps.length > 0 ? ctx.config.hostGatewayIps : [ctx.networks.hostGateway()];

/** A container that was given no IPv6 hears of no such addresses. */
const hasFamily = ({ spec: { hostConfig } }: Container, line: string): boolean =>
  !/^[^\t]*:/.test(line) ||
  ["all", "lo"].every((name) => hostConfig.Sysctls?.[`net.ipv6.conf.${name}.disable_ipv6`] !== "1");

/** The host's own file, where the container has the host's network and names nobody besides. */
async function hostsText(ctx: Context, container: Container, addresses: readonly string[]): Promise<string> {
  const { hostConfig } = container.spec;
  if (hostConfig.NetworkMode === "host" && !hostConfig.ExtraHosts?.length)
    return readFile("/etc/hosts", "utf8").catch(() => loopback.join(""));
  const extra = (hostConfig.ExtraHosts ?? []).flatMap((entry) => {
    const at = entry.search(/[:=]/);
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
    const stands = address === "host-gateway" ? hostGateways(ctx) : [address];
    return stands.map((each) => `${each}\t${entry.slice(0, at)}\n`);
  });
  const names = namesOf(container);
  return [
    ...loopback,
    ...extra,
    ...linkedHosts(ctx, container),
    ...addresses.map((address) => `${address}\t${names}\n`),
  ]
    .filter((line) => hasFamily(container, line))
    .join("");
}

/** Writes its own, and answers those that it sees: of the container whose network it joins, where it does. */
export async function nameFiles(ctx: Context, container: Container) {
  const joined = joinedContainer(container.spec.hostConfig.NetworkMode);
  const own = await writeNameFiles(ctx, container);
  if (joined === undefined) return own;
  return nameFilesOf(ctx, ctx.store.find(joined).id);
}
