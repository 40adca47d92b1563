import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MountInput } from "../../runtime/spec/input.ts";
import type { BuildRequest } from "../contract.ts";
import type { Session } from "../solver/session.ts";

const defaultHostname = "buildkitsandbox";

/** The host name that was asked for by `--build-arg BUILDKIT_SANDBOX_HOSTNAME`, if one was. */
export const askedHostname = ({ classic, buildArgs }: BuildRequest): string | undefined =>
  classic ? undefined : buildArgs.get("BUILDKIT_SANDBOX_HOSTNAME") || undefined;

/** Host name of the steps. */
export const stepHostname = (request: BuildRequest): string => askedHostname(request) ?? defaultHostname;

const loopback = (hostname: string): string =>
  `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;

/** `/etc/hosts` and `/etc/resolv.conf` of a step: the engine's, read-only, so that they never come into a layer. */
export async function writeNameFiles(
  { deps, request }: Session,
  folder: string,
  hostMode: boolean,
): Promise<MountInput[]> {
  const { config, networks } = deps;
  const hosts = join(folder, "hosts");
  const resolv = join(folder, "resolv.conf");
  const own = loopback(stepHostname(request));
  const base = hostMode ? await readFile("/etc/hosts", "utf8").catch(() => own) : own;
  const gateways = (): readonly string[] =>
    config.hostGatewayIps.length > 0 ? config.hostGatewayIps : [networks.hostGateway()];
  const extra = request.extraHosts.flatMap((entry) => {
    const at = entry.search(/[:=]/);
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
    const stands = address === "host-gateway" ? gateways() : [address];
    return stands.map((each) => `${each}\t${entry.slice(0, at)}\n`);
  });
  const resolvText = await networks.resolvConf({
    dns: [...config.dns],
    dnsSearch: [...config.dnsSearch],
    dnsOptions: [...config.dnsOptions],
    hostMode,
    userNetwork: false,
  });
  await Promise.all([
    writeFile(hosts, [base, ...extra].join(""), { mode: 0o644 }),
    writeFile(resolv, resolvText, { mode: 0o644 }),
  ]);
  const options = ["rbind", "ro", "nosuid", "nodev", "noexec"];
  return [
    { destination: "/etc/resolv.conf", type: "bind", source: resolv, options },
    { destination: "/etc/hosts", type: "bind", source: hosts, options },
  ];
}
