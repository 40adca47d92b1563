/** `inspect --as run`: what it prints makes the same container again; `--as compose` is a file that says the same. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { dirname } from "node:path";
import type { ContainerInspect } from "../../src/types/api.ts";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  await engine.ok("create", "--name", "src", "busybox");
  const changes = [
    "ENV A=1",
    "LABEL l=m",
    "EXPOSE 81",
    "VOLUME /data",
    'ENTRYPOINT ["sh","-c"]',
    'CMD ["exit 0"]',
    "USER 1",
    "HEALTHCHECK --interval=9s CMD true",
  ];
  await engine.ok("commit", ...changes.flatMap((change) => ["-c", change]), "src", "rich");
});

afterAll(() => engine?.destroy());

/** What was asked of it, without what every container has of its own. */
async function asked(name: string): Promise<unknown> {
  const [{ Id, Config, HostConfig, Path, Args, Name, Image, Mounts }] = JSON.parse(
    await engine.ok("inspect", name),
  ) as [ContainerInspect];
  return JSON.parse(
    JSON.stringify({ Config, HostConfig, Path, Args, Name, Image, mounts: Mounts.length }).replaceAll(
      Id.slice(0, 12),
      "ID",
    ),
  );
}

const cases: [string, string[]][] = [
  ["nothing", ["busybox"]],
  [
    "a command with every odd character",
    ["busybox", "sh", "-c", "echo 'a b' \"$X\" \\ `id` ! # * ~ \n\t é; exit 0", "-x", ""],
  ],
  ["streams", ["-it", "busybox", "sh"]],
  ["one stream", ["-a", "stderr", "busybox", "true"]],
  [
    "process",
    [
      "-e",
      "A=b c",
      "-e",
      "B=",
      "-u",
      "1:2",
      "-w",
      "/tmp",
      "-h",
      "box",
      "--domainname",
      "d",
      "-l",
      "k=v w",
      "--stop-signal",
      "INT",
      "--stop-timeout",
      "3",
      "--restart",
      "on-failure:3",
      "--init",
      "busybox",
      "true",
    ],
  ],
  [
    "limits",
    [
      "-m",
      "64m",
      "--memory-swap",
      "-1",
      "--cpus",
      "0.5",
      "--cpu-shares",
      "7",
      "--pids-limit",
      "50",
      "--ulimit",
      "nofile=10:20",
      "--oom-score-adj",
      "5",
      "--shm-size",
      "2m",
      "--device",
      "/dev/null:/dev/other:r",
      "busybox",
      "true",
    ],
  ],
  [
    "storage",
    [
      "-v",
      "/etc/hostname:/x:ro",
      "-v",
      "vol:/y",
      "-v",
      "/anon",
      "--tmpfs",
      "/t:size=1m",
      "--tmpfs",
      "/u",
      "--mount",
      "type=tmpfs,dst=/tt,tmpfs-size=1m,tmpfs-mode=700",
      "--mount",
      "type=bind,src=/etc/hosts,dst=/z,readonly",
      "busybox",
      "true",
    ],
  ],
  [
    "network",
    [
      "-p",
      "127.0.0.1:18080:80",
      "-p",
      "90/udp",
      "-p",
      "18081-18082:91-92",
      "--expose",
      "99",
      "-P",
      "--dns",
      "1.1.1.1",
      "--dns-search",
      "x.y",
      "--dns-option",
      "ndots:1",
      "--add-host",
      "a:1.2.3.4",
      "--mac-address",
      "92:d0:c6:0a:29:33",
      "busybox",
      "true",
    ],
  ],
  [
    "the host's namespaces",
    ["--network", "host", "--pid", "host", "--ipc", "host", "--uts", "host", "busybox", "true"],
  ],
  [
    "security",
    [
      "--read-only",
      "--cap-add",
      "NET_ADMIN",
      "--cap-drop",
      "MKNOD",
      "--security-opt",
      "no-new-privileges",
      "--security-opt",
      "systempaths=unconfined",
      "--group-add",
      "7",
      "--sysctl",
      "net.ipv4.ip_forward=1",
      "--annotation",
      "a=b",
      "busybox",
      "true",
    ],
  ],
  ["privileged", ["--privileged", "busybox", "true"]],
  ["logging", ["--log-driver", "local", "--log-opt", "max-size=1m", "busybox", "true"]],
  [
    "health",
    [
      "--health-cmd",
      "test -e /x || exit 1",
      "--health-interval",
      "1m30s",
      "--health-retries",
      "2",
      "--health-start-period",
      "1500ms",
      "--health-on-failure",
      "stop",
      "busybox",
      "true",
    ],
  ],
  ["own health", ["--health-http", "80/ok?a=b&c", "busybox", "true"]],
  ["an image with everything, as it is", ["rich"]],
  ["an image with everything, its command replaced", ["rich", "exit 3"]],
  [
    "an image with everything, overridden",
    ["-e", "A=2", "-l", "l=n", "-u", "0", "--health-interval", "3s", "--entrypoint", "echo", "rich", "x"],
  ],
  ["an image's entrypoint taken away", ["--entrypoint=", "rich", "true"]],
  ["an image's check taken away", ["--no-healthcheck", "rich"]],
];

for (const [what, options] of cases)
  test(`what is printed makes the same again: ${what}`, async () => {
    await engine.ok("create", "--name", "it", ...options);
    const before = await asked("it");
    const file = await engine.ok("inspect", "--as", "compose", "it");
    const line = await engine.ok("inspect", "--as", "run", "it");
    await engine.ok("rm", "-fv", "it");
    expect(line).toStartWith("berth run --name it ");
    const again = line.replace("berth run", "berth create");
    const { code, stderr } = await engine.run(["sh", "-c", `PATH=${dirname(berth)}:$PATH; ${again}`]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(await asked("it")).toEqual(before);
    await engine.ok("rm", "-fv", "it");
    expect(Bun.YAML.parse(file)).toMatchObject({ services: { it: { container_name: "it" } } });
  });

test("what came from the image is left out, and a detached container is so again", async () => {
  await engine.ok("run", "-d", "--name", "it", "rich");
  const before = await asked("it");
  const line = await engine.ok("inspect", "--as", "run", "it");
  expect(line).toBe("berth run --name it --detach rich");
  await engine.ok("rm", "-fv", "it");
  await engine.run(["sh", "-c", `PATH=${dirname(berth)}:$PATH; ${line}`]);
  expect(await asked("it")).toEqual(before);
  await engine.ok("rm", "-fv", "it");
});

test("a compose file says the same in its own words", async () => {
  const options = [
    "-m",
    "64m",
    "-v",
    "vol:/y",
    "-e",
    "A=$B",
    "-p",
    "8080:80",
    "--restart",
    "always",
    "--health-tcp",
    "80",
  ];
  await engine.ok("create", "--name", "web", ...options, "busybox", "sh", "-c", "echo $X: y");
  expect(Bun.YAML.parse(await engine.ok("container", "inspect", "--as", "compose", "web"))).toEqual({
    services: {
      web: {
        container_name: "web",
        image: "busybox",
        command: ["sh", "-c", "echo $$X: y"],
        environment: ["A=$$B"],
        healthcheck: { test: ["TCP", "80"] },
        restart: "always",
        ports: ["8080:80"],
        volumes: ["vol:/y"],
        mem_limit: 67_108_864,
      },
    },
    volumes: { vol: { external: true } },
  });
});

test("another form is refused", async () => {
  expect((await engine.berth("inspect", "--as", "xml", "web")).stderr).toContain(
    'must be "run" or "compose"',
  );
});
