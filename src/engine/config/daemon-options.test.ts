import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind, messageOf } from "../../lib/errors.ts";
import { completeConfig, mergeValues } from "./complete-config.ts";
import { parseDaemonFile, readDaemonFile } from "./daemon-file.ts";
import { daemonHelp, parseDaemonFlags } from "./daemon-flags.ts";

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return messageOf(error);
  }
  throw new Error("it was accepted");
}

const config = (argv: string[], file = "{}") =>
  completeConfig(mergeValues(parseDaemonFlags(argv).values, parseDaemonFile(file)));

test("without anything said, the engine has the defaults that the documentation tells", () => {
  expect(config([])).toMatchObject({
    hosts: ["unix:///run/berth.sock"],
    dataRoot: "/var/lib/berth",
    execRoot: "/run/berth",
    pidfile: "/run/berth.pid",
    group: "berth",
    logLevel: "info",
    logDriver: "json-file",
    logPolicy: { maxSize: 100_000_000, maxFiles: 5 },
    defaultShmSize: 67_108_864,
    liveRestore: true,
  });
});

test("flags are taken in every form Go programs take them", () => {
  const said = [
    "-D",
    "--mtu=1400",
    "--label",
    "a=b",
    "--label=c=d",
    "-H",
    "tcp://127.0.0.1:1",
    "-lwarn",
    "--icc=false",
  ];
  expect(config(said)).toMatchObject({
    debug: true,
    logLevel: "debug",
    labels: ["a=b", "c=d"],
    hosts: ["tcp://127.0.0.1:1"],
    bridge: { mtu: 1400, icc: false },
  });
});

test("the file has the same options, its lists in the plural", () => {
  const file = {
    labels: ["a=b"],
    "default-address-pools": [{ base: "10.0.0.0/8", size: 24 }],
    "default-ulimits": { nofile: { Name: "nofile", Soft: 4, Hard: 5 } },
    "log-opts": { "max-size": "10m", "max-file": "2" },
    runtimes: { other: { path: "/x" } },
    "default-shm-size": "32M",
  };
  expect(config([], JSON.stringify(file))).toMatchObject({
    labels: ["a=b"],
    addressPools: [{ base: "10.0.0.0/8", size: 24 }],
    defaultUlimits: [{ Name: "nofile", Soft: 4, Hard: 5 }],
    logPolicy: { maxSize: 10 * 2 ** 20, maxFiles: 2 },
    runtimes: { other: "/x" },
    defaultShmSize: 32 * 2 ** 20,
  });
});

test("a log driver is taken with its options, and only with those", () => {
  const flags = ["--log-driver", "syslog", "--log-opt", "syslog-address=udp://127.0.0.1:514"];
  expect(config(flags)).toMatchObject({
    logDriver: "syslog",
    logOptions: { "syslog-address": "udp://127.0.0.1:514" },
  });
  expect(refusal(() => config(["--log-driver", "nonsense"]))).toBe(
    "logger: no log driver named 'nonsense' is registered",
  );
});

test("log rotation can be switched off, and its options are checked", () => {
  expect(config(["--log-opt", "max-size=-1"]).logPolicy).toEqual({ maxFiles: 5 });
  expect(refusal(() => config(["--log-opt", "max-file=0"]))).toBe("max-file 0 is not a count of files");
  expect(refusal(() => config(["--log-opt", "nonsense=1"]))).toBe(
    "failed to set log opts: unknown log opt 'nonsense' for json-file log driver",
  );
});

test("an option in both places is refused with both values", () => {
  expect(
    refusal(() =>
      config(["--debug", "--mtu", "1400", "--label", "c=d"], '{"debug":true,"mtu":5,"labels":["a=b"]}'),
    ),
  ).toBe(
    "the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: true), labels: (from flag: [c=d], from file: [a=b]), mtu: (from flag: 1400, from file: 5)",
  );
});

test("what only says how it is here anyway is no reason to refuse a file of Docker's daemon", () => {
  const usual = { experimental: false, "userland-proxy": false, features: { buildkit: true } };
  expect(config([], JSON.stringify(usual))).toEqual(config([], "{}"));
  expect(refusal(() => config([], '{"features":{"containerd-snapshotter":true}}'))).toBe(
    "features is not supported by berth yet",
  );
  expect(refusal(() => config([], '{"experimental":true}'))).toBe(
    "experimental is not supported by berth yet",
  );
});

test("unknown options are refused in Docker's words, known ones that are not there by their name", () => {
  expect(refusal(() => config([], '{"x":1,"y":2}'))).toBe(
    "the following directives don't match any configuration option: x, y",
  );
  expect(refusal(() => config([], '{"rootless":true}'))).toBe("rootless is not supported by berth yet");
  expect(refusal(() => config(["--feature", "x"]))).toBe("--feature is not supported by berth yet");
  expect(refusal(() => config(["--iptables=false"]))).toBe("iptables=false is not supported by berth yet");
  expect(refusal(() => config(["--bridge", "none"]))).toBe("bridge=none is not supported by berth yet");
  expect(refusal(() => config(["--nosuch"]))).toBe("unknown flag: --nosuch");
  expect(refusal(() => config(["-x"]))).toBe("unknown shorthand flag: 'x' in -x");
  expect(refusal(() => config(["extra"]))).toBe("unknown argument: extra");
  expect(refusal(() => config(["--mtu"]))).toBe("flag needs an argument: --mtu");
});

const wrong: [argv: string[], file: string, sentence: string][] = [
  [
    ["--mtu", "x"],
    "{}",
    'invalid argument "x" for "--mtu" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    ["--default-shm-size", "64x"],
    "{}",
    `invalid argument "64x" for "--default-shm-size" flag: invalid suffix: 'x'`,
  ],
  [[], "{nope", "invalid JSON: invalid character 'n' looking for beginning of object key string"],
  [
    [],
    '{"debug":"yes"}',
    "invalid JSON: json: cannot unmarshal string into Go struct field Config.debug of type bool",
  ],
  [[], '{"mtu":-1}', "invalid default MTU: -1"],
  [[], '{"labels":["a"]}', "bad attribute format: a"],
  [[], '{"log-level":"zzz"}', "invalid logging level: zzz"],
  [[], '{"dns":["x"]}', "invalid IP address: x"],
  [[], '{"default-address-pools":[{"base":"10.0.0.0","size":24}]}', `netip.ParsePrefix("10.0.0.0"): no '/'`],
  [["-H", "zz://x"], "{}", 'unable to parse "zz://x": a host is unix:///path or tcp://address:port'],
  [["--data-root", "rel"], "{}", 'data-root "rel" is not an absolute path'],
];
test.each(wrong)("flags %j with the file %j are refused with a sentence", (argv, file, sentence) => {
  expect(refusal(() => config(argv, file))).toBe(sentence);
});

test("a missing file is an error only where it was named", async () => {
  expect(await readDaemonFile("/nonexistent/daemon.json", false)).toEqual(new Map());
  const error = await readDaemonFile("/nonexistent/daemon.json", true).catch((thrown: unknown) => thrown);
  expect(isKind(error, "invalid") && error.message).toBe(
    "open /nonexistent/daemon.json: no such file or directory",
  );
  const folder = await mkdtemp(join(tmpdir(), "berth-file-"));
  await writeFile(join(folder, "daemon.json"), '{"debug":true}');
  expect(await readDaemonFile(join(folder, "daemon.json"), true)).toEqual(new Map([["debug", true]]));
  await rm(folder, { recursive: true });
});

test("the help lists every flag once, in order", () => {
  const flags = [...daemonHelp().matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map(([, flag]) => flag ?? "");
  expect(flags).toContain("config-file");
  expect(flags).toEqual([...new Set(flags)].sort());
});

test("mirrors are the Hub's, or any registry's, by flag and by file", () => {
  const mirrors = (argv: string[], file?: string) => config(argv, file).registries.mirrors;
  expect(mirrors(["--registry-mirror", "https://m.example"])).toEqual({ "docker.io": ["https://m.example"] });
  expect(mirrors([], '{"registry-mirrors":["http://a","https://b:5000/"]}')).toEqual({
    "docker.io": ["http://a", "https://b:5000"],
  });
  expect(
    mirrors(["--registry-mirror", "quay.io=https://q", "--registry-mirror", "quay.io=https://r"]),
  ).toEqual({
    "quay.io": ["https://q", "https://r"],
  });
  expect(mirrors([], '{"registry-mirrors":{"ghcr.io":["https://g"]}}')).toEqual({ "ghcr.io": ["https://g"] });
  expect(refusal(() => mirrors(["--registry-mirror", "ftp://x"]))).toContain('unsupported scheme "ftp"');
  expect(refusal(() => mirrors(["--registry-mirror", "https://x/y"]))).toContain("invalid mirror");
});

test("proxies of the file come before the environment's, and registries' limits have Docker's defaults", () => {
  const { registries } = config(
    [],
    '{"proxies":{"http-proxy":"http://p","no-proxy":"a,b"},"insecure-registries":["r:5000","10.0.0.0/8"]}',
  );
  expect(registries.proxies).toMatchObject({ http: "http://p", exceptions: "a,b" });
  expect(registries).toMatchObject({ maxDownloads: 3, maxUploads: 5, downloadAttempts: 5, maxLayerSize: 0 });
  expect(config([], '{"max-layer-size":"20GB"}').registries.maxLayerSize).toBe(20 * 1024 ** 3);
  expect(registries.insecureRegistries).toEqual(["r:5000", "10.0.0.0/8"]);
  expect(refusal(() => config(["--insecure-registry", "http://x"]))).toContain("should not contain '://'");
});
