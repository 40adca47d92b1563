import { expect, test } from "bun:test";
import { parseCsv } from "../../lib/go/csv.ts";
import { parseFlags } from "../flags/parse.ts";
import { ofProcess } from "../surroundings.ts";
import { type ContainerFlags, containerFlags } from "./flags.ts";
import { parseMount } from "./mounts.ts";
import { parseExpose, parsePublish } from "./ports.ts";
import { createRequest } from "./request.ts";
import { parseVolumeSpec } from "./volumes.ts";

function request(...words: string[]): ReturnType<typeof createRequest> {
  const { values, args, changed } = parseFlags(containerFlags, words, false, ofProcess);
  return createRequest(values as unknown as ContainerFlags, args, (key) => changed.has(key), ofProcess);
}

test("a plain command asks for output alone", () => {
  expect(request("busybox", "true")).toMatchObject({
    Image: "busybox",
    Cmd: ["true"],
    AttachStdin: false,
    AttachStdout: true,
    OpenStdin: false,
    Env: null,
  });
});

test("-it asks for a terminal and an open stdin", () => {
  expect(request("-it", "busybox")).toMatchObject({
    Tty: true,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    Cmd: null,
  });
});

test("binds and anonymous volumes are told apart", () => {
  const { HostConfig, Volumes } = request("-v", "/a:/b", "-v", "/c", "-v", "data:/d:ro", "busybox");
  expect(HostConfig?.Binds).toEqual(["/a:/b", "data:/d:ro"]);
  expect(Volumes).toEqual({ "/c": {} });
});

test("a published port is exposed too", () => {
  const { HostConfig, ExposedPorts } = request("-p", "127.0.0.1:8080:80", "--expose", "99-100", "busybox");
  expect(HostConfig?.PortBindings).toEqual({ "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] });
  expect(Object.keys(ExposedPorts ?? {}).sort()).toEqual(["100/tcp", "80/tcp", "99/tcp"]);
});

test("an empty --entrypoint resets the image's", () => {
  expect(request("--entrypoint=", "busybox").Entrypoint).toEqual([""]);
  expect(request("busybox").Entrypoint).toBeNull();
});

test("capabilities are spelled in one way and sorted", () => {
  const { HostConfig } = request(
    "--cap-add",
    "sys_time",
    "--cap-add",
    "CAP_NET_ADMIN",
    "--cap-drop",
    "mknod",
    "--cap-drop",
    "all",
    "busybox",
  );
  expect(HostConfig).toMatchObject({
    CapAdd: ["CAP_NET_ADMIN", "CAP_SYS_TIME"],
    CapDrop: ["ALL", "CAP_MKNOD"],
  });
});

const refused: [string[], string][] = [
  [["--rm", "--restart", "always", "x"], "conflicting options: cannot specify both --restart and --rm"],
  [["--memory-swappiness", "101", "x"], "invalid value: 101. Valid memory swappiness range is 0-100"],
  [["--mac-address", "nope", "x"], "nope is not a valid mac address"],
  [["--network-alias", "x", "x"], "network-scoped aliases are only supported for user-defined networks"],
  [
    ["--network", "a", "--network", "host", "x"],
    "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
  ],
  [["--storage-opt", "bad", "x"], "invalid storage option"],
  [["--no-healthcheck", "--health-cmd", "x", "x"], "--no-healthcheck conflicts with --health-* options"],
  [["--env-file", "/nosuch", "x"], "open /nosuch: no such file or directory"],
  [["--cpu-count", "1", "x"], '"--cpu-count" is only supported on a Docker daemon running on windows'],
  [["--ulimit", "nofile=99999999999999999999", "x"], "value out of range"],
  [["--security-opt", "apparmor=", "x"], 'Invalid --security-opt: "apparmor="'],
  [["-l", "a b=c", "x"], "label 'a b' contains whitespaces"],
  [["--security-opt", "foo", "x"], 'Invalid --security-opt: "foo"'],
];
for (const [words, sentence] of refused) {
  test(`${words.slice(0, -1).join(" ")} is refused`, () => {
    expect(() => request(...words)).toThrow(sentence);
  });
}

const ports: [string, string][] = [
  ["nope", "invalid containerPort: nope"],
  ["70000:80", "invalid hostPort: 70000"],
  ["80:", "no port specified: 80:<empty>"],
  ["1.2.3:80:80", "invalid IP address: 1.2.3"],
  ["80-90:80-85", "invalid ranges specified for container and host Ports: 80-85 and 80-90"],
  ["80:80/abc", "invalid proto: abc"],
  ["", "no port specified: <empty>"],
];
for (const [spec, sentence] of ports) {
  test(`-p ${spec} is refused`, () => {
    expect(() => parsePublish(spec)).toThrow(sentence);
  });
}

test("ports are read in every form", () => {
  expect(parsePublish("80")).toEqual([{ port: "80/tcp", hostIp: "", hostPort: "" }]);
  expect(parsePublish("[::1]:8000-8001:80-81/udp")).toEqual([
    { port: "80/udp", hostIp: "::1", hostPort: "8000" },
    { port: "81/udp", hostIp: "::1", hostPort: "8001" },
  ]);
  expect(parsePublish("8000-8010:80")).toEqual([{ port: "80/tcp", hostIp: "", hostPort: "8000-8010" }]);
  expect(parsePublish("target=80,published=8080,protocol=udp")).toEqual([
    { port: "80/udp", hostIp: "", hostPort: "8080" },
  ]);
  expect(parseExpose("80-81/udp")).toEqual(["80/udp", "81/udp"]);
});

test("volume specs that do not parse are refused", () => {
  expect(() => parseVolumeSpec("")).toThrow("invalid empty volume spec");
  expect(() => parseVolumeSpec("/a:")).toThrow("invalid spec: /a:: empty section between colons");
  expect(() => parseVolumeSpec("/a:/b:ro:x")).toThrow("invalid spec: /a:/b:ro:x: too many colons");
});

test("--mount is read key by key", () => {
  expect(parseMount('type=bind,"source=/a,b",dst=/c,ro,bind-propagation=rslave', ofProcess)).toEqual({
    Type: "bind",
    Source: "/a,b",
    Target: "/c",
    ReadOnly: true,
    BindOptions: { Propagation: "rslave" },
  });
  expect(parseMount("type=tmpfs,dst=/q,tmpfs-size=1m,tmpfs-mode=700", ofProcess)).toEqual({
    Type: "tmpfs",
    Target: "/q",
    TmpfsOptions: { SizeBytes: 1048576, Mode: 448 },
  });
  expect(() => parseMount("src=a", ofProcess)).toThrow("target is required");
  expect(() => parseMount("foo", ofProcess)).toThrow("invalid field 'foo' must be a key=value pair");
  expect(() => parseMount("type=bind,src=/a,dst=/b,volume-nocopy", ofProcess)).toThrow(
    "cannot mix 'volume-*' options with mount type 'bind'",
  );
});

test("CSV fields may be quoted", () => {
  expect(parseCsv('a,"b,c","d""e",')).toEqual(["a", "b,c", 'd"e', ""]);
});

test("a health check is of one kind, and what follows its failure travels as an annotation", () => {
  expect(request("--health-tcp", "80", "x").Healthcheck).toEqual({ Test: ["TCP", "80"] });
  expect(request("--health-http", "8080/ok", "x").Healthcheck).toEqual({ Test: ["HTTP", "8080/ok"] });
  expect(request("--health-log", "ready", "x").Healthcheck).toEqual({ Test: ["LOG", "ready"] });
  expect(
    request("--health-on-failure", "restart", "--annotation", "a=b", "x").HostConfig?.Annotations,
  ).toEqual({
    a: "b",
    "berth.health.on-failure": "restart",
  });
  expect(() => request("--health-tcp", "80", "--health-cmd", "true", "x")).toThrow("only one of");
  expect(() => request("--no-healthcheck", "--health-tcp", "80", "x")).toThrow("--no-healthcheck conflicts");
});

test("what docker's client lets through is let through, and a network has a name", () => {
  expect(parsePublish("target=80,bogus=1")).toEqual(parsePublish("80"));
  expect(() => parsePublish("target=80,foo")).toThrow("should be name=value but got 'foo'");
  expect(parseExpose("80/x")).toEqual(["80/x"]);
  expect(() => request("--network", "", "busybox")).toThrow("no name set for network");
});
