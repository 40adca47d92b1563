import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxState } from "../../network/contract.ts";
import type { Container } from "../container.ts";
import { type Context, folderOf } from "../context.ts";
import { linkedHosts } from "../links/start.ts";

/** The three files an engine owns in a container: who it is, and how it finds others. */
export interface NameFiles {
  hosts: string;
  hostname: string;
  resolvConf: string;
}

const loopback =
  "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n" +
  "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

export function nameFilesOf(ctx: Context, id: string): NameFiles {
  const folder = folderOf(ctx, id);
  return {
    hosts: join(folder, "hosts"),
    hostname: join(folder, "hostname"),
    resolvConf: join(folder, "resolv.conf"),
  };
}

/** Writes all three anew; `hosts` lacks the container's own address until `finishHosts`. */
export async function writeNameFiles(ctx: Context, container: Container): Promise<NameFiles> {
  const { config, hostConfig } = container.spec;
  const files = nameFilesOf(ctx, container.id);
  const hostMode = hostConfig.NetworkMode === "host";
  const or = (own: readonly string[] | null, engine: readonly string[]): string[] => [
    ...(own?.length ? own : engine),
  ];
  await mkdir(folderOf(ctx, container.id), { recursive: true, mode: 0o710 });
  const resolv = ctx.networks.resolvConf({
    dns: or(hostConfig.Dns, ctx.config.dns),
    dnsSearch: or(hostConfig.DnsSearch, ctx.config.dnsSearch),
    dnsOptions: or(hostConfig.DnsOptions, ctx.config.dnsOptions),
    hostMode,
    userNetwork: Object.keys(container.spec.networks).some((name) => isUserNetwork(ctx, name)),
  });
  await Promise.all([
    writeFile(files.hostname, `${config.Hostname}\n`, { mode: 0o644 }),
    writeFile(files.hosts, await hostsText(ctx, container, []), { mode: 0o644 }),
    resolv.then((text) => writeFile(files.resolvConf, text, { mode: 0o644 })),
  ]);
  return files;
}

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

function isUserNetwork(ctx: Context, nameOrId: string): boolean {
  const network = ctx.networks.list().find(({ Id, Name }) => Name === nameOrId || Id === nameOrId);
  return !predefined.has(network?.Name ?? nameOrId);
}

/** Adds the container's own addresses, in place: the file is mounted already. */
export async function finishHosts(ctx: Context, container: Container, state: SandboxState): Promise<void> {
  const addresses = Object.values(state.endpoints).flatMap((endpoint) =>
    [endpoint.IPAddress, endpoint.GlobalIPv6Address].filter(
      (address) => address !== "" && address !== undefined,
    ),
  );
  if (addresses.length > 0)
    await writeFile(nameFilesOf(ctx, container.id).hosts, await hostsText(ctx, container, addresses));
}

const hostGateways = (ctx: Context): readonly string[] =>
  ctx.config.hostGatewayIps.length > 0 ? ctx.config.hostGatewayIps : [ctx.networks.hostGateway()];

async function hostsText(ctx: Context, container: Container, addresses: readonly string[]): Promise<string> {
  const { config, hostConfig } = container.spec;
  const base =
    hostConfig.NetworkMode === "host" ? await readFile("/etc/hosts", "utf8").catch(() => loopback) : loopback;
  const extra = (hostConfig.ExtraHosts ?? []).flatMap((entry) => {
    const at = entry.search(/[:=]/);
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
    const stands = address === "host-gateway" ? hostGateways(ctx) : [address];
    return stands.map((each) => `${each}\t${entry.slice(0, at)}\n`);
  });
  const names =
    config.Domainname === "" ? config.Hostname : `${config.Hostname}.${config.Domainname} ${config.Hostname}`;
  return [
    base,
    ...extra,
    ...linkedHosts(ctx, container),
    ...addresses.map((address) => `${address}\t${names}\n`),
  ].join("");
}
