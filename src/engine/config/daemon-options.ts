/**
 * Every option of the engine, as a flag and as a key of `daemon.json`. What Docker's daemon knows and this engine
 * does not have is listed too, so that it is refused by its name rather than ignored.
 */
type OptionType =
  | "bool"
  | "int"
  | "string"
  | "strings"
  | "map"
  | "size"
  | "ulimits"
  | "pools"
  | "runtimes"
  /** a list of the Hub's mirrors, or registry → mirrors; as a flag URL or REGISTRY=URL */
  | "mirrors"
  /** driver → options of new networks; as a flag DRIVER=OPTION=VALUE */
  | "networkOptions"
  /** an object of three options in the file */
  | "proxies"
  /** the policy by which unused images go by themselves, an object in the file */
  | "gc";

export interface DaemonOption {
  /** in daemon.json */
  key: string;
  /** on the command line; repeatable ones are in the singular there; "" = none */
  flag: string;
  short?: string;
  type: OptionType;
  help: string;
}

const option = (key: string, type: OptionType, help: string, flag = key, short?: string): DaemonOption => ({
  key,
  flag,
  type,
  help,
  ...(short === undefined ? {} : { short }),
});

export const daemonOptions: readonly DaemonOption[] = [
  option("bip", "string", "Address of the default bridge, with its prefix"),
  option("bridge", "string", "Bridge of the default network (made where it is missing)", "bridge", "b"),
  option("cdi-spec-dirs", "strings", "Folder of CDI specifications", "cdi-spec-dir"),
  option("cgroup-parent", "string", "Parent cgroup of all containers"),
  option("data-root", "string", 'Folder of all that persists (default "/var/lib/berth")'),
  option("debug", "bool", "Log more", "debug", "D"),
  option(
    "default-address-pools",
    "pools",
    "Pools of subnets for new networks (base=CIDR,size=BITS)",
    "default-address-pool",
  ),
  option(
    "default-cgroupns-mode",
    "string",
    'Cgroup namespace of containers that ask for none ("private" or "host")',
  ),
  option(
    "default-ipc-mode",
    "string",
    'IPC namespace of containers that ask for none ("private" or "shareable")',
  ),
  option(
    "default-network-opts",
    "networkOptions",
    "Option of new networks (DRIVER=OPTION=VALUE)",
    "default-network-opt",
  ),
  option("default-runtime", "string", "OCI runtime of containers that ask for none"),
  option("default-shm-size", "size", "Size of /dev/shm of containers that ask for none (default 64MiB)"),
  option("default-stop-timeout", "int", "Seconds from the stop signal to the kill (default 10)"),
  option("default-ulimits", "ulimits", "Limits of all containers (NAME=SOFT[:HARD])", "default-ulimit"),
  option("dns", "strings", "Name servers of containers that ask for none"),
  option("dns-opts", "strings", "Resolver options of containers that ask for none", "dns-opt"),
  option("dns-search", "strings", "Search domains of containers that ask for none"),
  option("exec-opts", "strings", "native.cgroupdriver=cgroupfs is the one there is", "exec-opt"),
  option("exec-root", "string", 'Folder of what a reboot may take (default "/run/berth")'),
  option("gc", "gc", "", ""),
  option("group", "string", 'Group of the unix socket (default "berth")', "group", "G"),
  option("host-gateway-ips", "strings", "Addresses that host-gateway stands for", "host-gateway-ip"),
  option("hosts", "strings", 'Where to listen (default "unix:///run/berth.sock")', "host", "H"),
  option("http-proxy", "string", "Proxy for registries without TLS (default $HTTP_PROXY)"),
  option("https-proxy", "string", "Proxy for registries with TLS (default $HTTPS_PROXY)"),
  option("fixed-cidr", "string", "Part of the default network from which containers get addresses"),
  option("fixed-cidr-v6", "string", "IPv6 subnet of the default network"),
  option("icc", "bool", "Let containers of the default network reach each other (default true)"),
  option("init", "bool", "Run an init in containers"),
  option("init-path", "string", "The init binary"),
  option(
    "insecure-registries",
    "strings",
    "Registries that need no verified TLS (HOST[:PORT] or CIDR)",
    "insecure-registry",
  ),
  option("ip", "string", 'Host address of published ports that name none (default "0.0.0.0")'),
  option("ip-forward", "bool", "Switch on IP forwarding (default true)"),
  option("ip-masq", "bool", "Masquerade the default network (default true)"),
  option("iptables", "bool", "Make packet rules, with nftables (true is the only value yet)"),
  option("labels", "strings", "Labels of this engine (KEY=VALUE)", "label"),
  option("live-restore", "bool", "Containers outlive the engine, as they always do here"),
  option("log-driver", "string", 'Log driver of containers that ask for none (default "json-file")'),
  option("log-format", "string", 'Format of the engine\'s log ("text" or "json")'),
  option(
    "log-level",
    "string",
    'Level of the engine\'s log ("debug", "info", "warn" or "error")',
    "log-level",
    "l",
  ),
  option("log-opts", "map", "Log options of containers that have the default log driver", "log-opt"),
  option("max-concurrent-downloads", "int", "Layers that are downloaded at once (default 3)"),
  option("max-concurrent-uploads", "int", "Layers that are uploaded at once (default 5)"),
  option(
    "max-layer-size",
    "size",
    "Bytes a layer may unpack to (default: as the disk allows, no decompression bomb)",
  ),
  option("max-download-attempts", "int", "Tries of a download that breaks off (default 5)"),
  option("ipv6", "bool", "Give containers of the default network IPv6 addresses too"),
  option("mtu", "int", "MTU of the default network"),
  option("no-new-privileges", "bool", "Set no_new_privs in all containers"),
  option("no-proxy", "string", "Hosts that need no proxy (default $NO_PROXY)"),
  option(
    "pass-firewalls",
    "bool",
    "Add a rule to other firewalls' forward chains that lets containers' packets through",
  ),
  option("pidfile", "string", 'File of the engine\'s process id (default "/run/berth.pid")', "pidfile", "p"),
  option("proxies", "proxies", "", ""),
  option(
    "published-ports-input",
    "bool",
    "Let published ports obey the host's rules for incoming packets (by sockets: slower, without callers' addresses)",
  ),
  option(
    "registry-mirrors",
    "mirrors",
    "Mirror of the Hub, or of a registry (URL or REGISTRY=URL)",
    "registry-mirror",
  ),
  option("runtimes", "runtimes", "Another OCI runtime (NAME=PATH)", "add-runtime"),
  option("seccomp-profile", "string", 'Seccomp profile: a file, "builtin" or "unconfined"'),
  option("shutdown-timeout", "int", "Seconds the engine takes to stop at most (default 15)"),
  option("storage-driver", "string", 'How layers are stacked ("overlay2" or "vfs")', "storage-driver", "s"),
  option(
    "userns-remap",
    "string",
    'User whose subordinate ids containers get ("default", or USER[:GROUP] by name or number)',
  ),
];

/** Flags that are not options: where the options' file is, and what to do instead of running. */
export const controlFlags = {
  "config-file": 'The options\' file (default "/etc/berth/daemon.json")',
  validate: "Check the options and end",
  help: "Print this",
  version: "Print the version",
} as const;

/** Keys of Docker's daemon that this engine does not have yet; a flag in the singular stands for its key. */
export const unsupportedKeys: ReadonlySet<string> = new Set(
  `allow-direct-routing api-cors-header authorization-plugins bip6 bridge-accept-fwmark builder
  containerd containerd-namespace containerd-plugins-namespace containerd-plugin-namespace cpu-rt-period cpu-rt-runtime
  cri-containerd default-gateway default-gateway-v6 deprecated-key-path experimental features
  firewall-backend ip-forward-no-drop ip6tables
  metrics-addr min-api-version
  network-control-plane-mtu network-diagnostic-port node-generic-resources nri-opts raw-logs
  rootless selinux-enabled storage-opts swarm-default-advertise-addr swarm-raft-election-tick
  swarm-raft-heartbeat-tick tls tlscacert tlscert tlskey tlsverify userland-proxy userland-proxy-path`.split(
    /\s+/,
  ),
);

/** Of those keys, the values that only say what is so with this engine: files made for Docker's daemon have them. */
const alreadySo: Readonly<Record<string, readonly unknown[]>> = {
  "allow-direct-routing": [false],
  experimental: [false],
  ip6tables: [true],
  "raw-logs": [false],
  rootless: [false],
  "selinux-enabled": [false],
  tls: [false],
  tlsverify: [false],
  // published ports need no process of their own, and are reached from the host in either case
  "userland-proxy": [true, false],
};

const featuresSo: Readonly<Record<string, boolean>> = { buildkit: true, "containerd-snapshotter": false };

export function isUnsupported(key: string, value: unknown): boolean {
  if (!unsupportedKeys.has(key)) return false;
  if (key === "features" && typeof value === "object" && value !== null)
    return Object.entries(value).some(([name, on]) => featuresSo[name] !== on);
  return !alreadySo[key]?.includes(value);
}

const unsupportedFlags: ReadonlyMap<string, string> = new Map([
  ...[...unsupportedKeys].map((key): [string, string] => [key, key]),
  ["authorization-plugin", "authorization-plugins"],
  ["feature", "features"],
  ["node-generic-resource", "node-generic-resources"],
  ["storage-opt", "storage-opts"],
]);

export const isUnsupportedFlag = (flag: string): boolean => unsupportedFlags.has(flag);
