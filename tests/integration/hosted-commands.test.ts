/**
 * The same command line in a process of its own and inside the engine: what is written, the exit code and what becomes of the
 * engine's containers are the same.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { berth, type Outcome, startEngine, type TestEngine } from "../harness/engine.ts";
import { buildOf, type HostedAnswer, hosted } from "../harness/hosted-client.ts";
import { until } from "../harness/until.ts";

setDefaultTimeout(120_000);
let engine: TestEngine;
let build: string;
let folder: string;
const odd = "line one\nline two \u001b[31mred\u001b[0m \t ü";

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  build = await buildOf(engine.socket);
  folder = join(engine.home, "work");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "file"), "A=1\n");
  await engine.ok(
    "create",
    "--name",
    "created",
    "--label",
    `odd=${odd}`,
    "busybox",
    "echo",
    odd,
    "é".repeat(40),
  );
  await engine.ok(
    "run",
    "-d",
    "--name",
    "running",
    "-p",
    "8080",
    "-p",
    "127.0.0.1::53/udp",
    "busybox",
    "sleep",
    "600",
  );
  await engine
    .ok("run", "--name", "exited", "-e", "A=B", "busybox", "sh", "-c", "exit 3")
    .catch(() => undefined);
  await engine.ok("run", "-d", "--name", "paused", "-l", "a=b", "-l", "c", "busybox", "sleep", "600");
  await engine.ok("pause", "paused");
  await engine.ok("tag", "busybox", "registry.example:5000/team/app:v1.2");
}, 120_000);

afterAll(() => engine?.destroy());

type Variables = Record<string, string>;

/** By the program, as its user calls it. */
async function call(args: readonly string[], variables: Variables = {}): Promise<Outcome> {
  const child = Bun.spawn(engine.inNetwork([berth, ...args]), {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_HOST: engine.host, ...variables },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** A variable that is set keeps the launcher from asking the engine; this one means nothing else. */
const own = (args: readonly string[], variables?: Variables): Promise<Outcome> =>
  call(args, { ...variables, DOCKER_TLS: "0" });

const inside = (args: readonly string[], variables: Variables = {}): Promise<HostedAnswer> =>
  hosted(engine.socket, build, args, {
    folder,
    variables: new Map(Object.entries({ HOME: "/nonexistent", DOCKER_HOST: engine.host, ...variables })),
  });

const took = ({ status, givenBack }: HostedAnswer): boolean => status === 101 && !givenBack;

const outcomeOf = ({ stdout, stderr, code }: HostedAnswer): Outcome => ({ code: code ?? -1, stdout, stderr });

/**
 * In a process, in the engine, and by the launcher as a user has it. Ages are told in words, which change every second at first and
 * once a minute later: on a machine too slow for the one, the three are the same after the other.
 */
async function sameOf(args: readonly string[], variables?: Variables): Promise<[Outcome, Outcome, Outcome]> {
  return until(
    async (): Promise<[Outcome, Outcome, Outcome]> => {
      const before = await own(args, variables);
      const answer = await inside(args, variables);
      const inEngine = took(answer)
        ? outcomeOf(answer)
        : { code: answer.status, stdout: "", stderr: answer.said };
      return [before, inEngine, await call(args, variables)];
    },
    ([a, b, c]) => Bun.deepEquals(a, b) && Bun.deepEquals(a, c),
    { ms: 120_000 },
  );
}

const words = (line: string): string[] =>
  line === "" ? [] : line.split(" ").map((word) => (word === "''" ? "" : word));

describe("the engine answers as the client's process does", () => {
  test.each([
    "version",
    "version extra",
    "ps",
    "ps -a",
    "ps -aq",
    "ps -q --no-trunc",
    "ps -a --no-trunc",
    "ps -as",
    "ps -l",
    "ps -n 2",
    "ps -n=-5",
    "ps -n x",
    "ps --last",
    "ps -a --filter status=exited --filter name=ex",
    "ps --filter bogus=1",
    "ps --filter bad",
    "ps -a --why",
    "ps ''",
    "ps --",
    "ps --all=false",
    "ps --all=maybe",
    "ps --bogus",
    "ps -az",
    "ps -a --format {{.Names}}:{{.State}}:{{.Labels}}",
    "ps -a --format table\u00a0{{.ID}}",
    "ps --format table",
    "container ls --all",
    "container list -q",
    "rm -f nope",
    "container ps",
    "images",
    "images -q",
    "images -a --no-trunc --digests",
    "images busybox",
    "images nope",
    "images a b",
    "image ls --format {{.Repository}}:{{.Tag}}",
    "image list -f dangling=true",
    "images -f nope=1",
    "volume ls",
    "volume ls -q",
    "volume ls --format {{.Name}}={{.Links}}",
    "network ls",
    "network list --no-trunc -f driver=bridge",
    "network ls --format table\u00a0{{.Name}}\t{{.CreatedAt}}",
    "port running",
    "container port running 53/udp",
  ])("berth %s", async (line) => {
    const [a, b, c] = await sameOf(words(line));
    expect([b, c]).toEqual([a, a]);
  });

  test.each([
    "stop",
    "stop nope nope2",
    "stop -t x running",
    "kill -s BOGUS running",
    "kill created nope",
    "rm running",
    "rm ''",
    "rm / nope",
    "rename created running",
    "rename created",
    "rename nope other",
    "rename created ''",
    "pause created",
    "unpause running nope",
    "start nope other",
    "start paused",
    "start --wait nope",
    "restart nope",
    "create",
    "create --bogus busybox",
    "create -m",
    "create --name running busybox",
    "create --name bad/name busybox",
    "create -e =x busybox",
    "create -v '' busybox",
    "create -v a:b:c:d busybox",
    "create --cpus x busybox",
    "create --memory 1 busybox",
    "create --mount type=bind busybox",
    "create --mount type=bind,src=./missing,dst=/x busybox",
    "create Busybox",
    "create --pull maybe busybox",
    "create --platform a/b/c/d busybox",
    "create --security-opt bogus busybox",
    "create --restart always --rm busybox",
    "create --network a --network a busybox",
    "create -p 99999 busybox",
    "create --pull never nope-image",
    "container rm nope",
    "port nope",
    "port running 1",
    "port running x",
    "tag nope other",
    "tag busybox Bad",
    "rmi nope",
    "rmi busybox@sha256:0",
    "image rm ''",
    "volume rm nope ''",
    "volume create bad/name",
    "volume create -d nope name",
    "network rm nope bridge",
    "network create --subnet 1.2.3.4 name",
    "network create --subnet 10.0.0.0/8 --subnet 10.1.0.0/16 name",
    "network connect nope running",
    "network disconnect bridge nope",
    "container remove nope",
  ])("berth %s, which fails", async (line) => {
    const [a, b, c] = await sameOf(words(line));
    expect(a.code).toBeGreaterThan(0);
    expect([b, c]).toEqual([a, a]);
  });

  test.each([
    [["ps"], { DOCKER_API_VERSION: "1.44" }],
    [["version"], { DOCKER_API_VERSION: "1.44" }],
    [["ps"], { DOCKER_API_VERSION: "1.99" }],
    [["version"], { DOCKER_API_VERSION: "v1.51" }],
    [["create", "busybox"], { DOCKER_DEFAULT_PLATFORM: "no/such/platform/x" }],
  ])("berth %p with %p", async (args, variables) => {
    const [a, b, c] = await sameOf(args, variables as Variables);
    expect([b, c]).toEqual([a, a]);
  });
});

describe("what only a process can do goes back to one, before anything has changed", () => {
  test.each([
    "ps --help",
    "ps -h",
    "ps -a --format json",
    "ps --format {{.CreatedAt}}",
    "ps --format {{json\t.}}",
    "ps --format {{",
    "ps --format {{.Nope}}",
    "images --tree",
    "images --format {{.CreatedAt}}",
    "volume ls --format json",
    'network ls --format {{.Label\t"a"}}',
    "version -f {{.Server.Version}}",
    "version --format json",
    "start -a exited",
    "start -i exited",
    "create -e HOSTNAME busybox",
    "create --env-file file busybox",
    "create --label-file file busybox",
    "create --cidfile id busybox",
    "create --security-opt seccomp=file busybox",
    "create --use-api-socket busybox",
    "create --pull always busybox",
    "create nope-image",
    "create --dns 127.0.0.1 nope-image",
    "create -q --platform linux/riscv64 nope-image",
    "run busybox true",
    "exec running true",
    "system info",
    "container",
    "container inspect running",
    "volume inspect nope",
    "daemon",
    "--version",
    "",
  ])("berth %s", async (line) => {
    const before = await engine.ok("ps", "-aq");
    const answer = await inside(words(line));
    expect(took(answer)).toBe(false);
    if (!answer.givenBack) expect(answer).toMatchObject({ status: 409 });
    expect(await engine.ok("ps", "-aq")).toBe(before);
  });
});

test("an image for a platform of the environment that is not there goes back, too", async () => {
  const answer = await inside(["create", "busybox"], { DOCKER_DEFAULT_PLATFORM: "linux/s390x" });
  expect(answer).toMatchObject({ givenBack: true, stdout: "", stderr: "" });
});

/** Two command lines that differ in a name, and what they left behind. */
async function bothWays(line: (name: string) => string[]): Promise<[Outcome, Outcome]> {
  const plain = (outcome: Outcome): Outcome => ({
    code: outcome.code,
    stdout: outcome.stdout
      .replaceAll(/[0-9a-f]{64}/g, "ID")
      .replaceAll("-own", "")
      .replaceAll("-hosted", ""),
    stderr: outcome.stderr
      .replaceAll(/[0-9a-f]{64}/g, "ID")
      .replaceAll("-own", "")
      .replaceAll("-hosted", ""),
  });
  const first = await own(line("-own"));
  const answer = await inside(line("-hosted"));
  expect(took(answer)).toBe(true);
  return [plain(first), plain(outcomeOf(answer))];
}

/** What was made of a command line: all but names, ids, times and paths made of them. */
async function recorded(name: string): Promise<unknown> {
  const [made] = JSON.parse(await engine.ok("inspect", name)) as {
    Config: unknown;
    HostConfig: unknown;
    State: { Status: string };
  }[];
  const text = JSON.stringify([made?.Config, made?.HostConfig, made?.State.Status]);
  return JSON.parse(text.replaceAll(/[0-9a-f]{64}/g, "ID").replaceAll(/[0-9a-f]{12}/g, "ID"));
}

describe("a command leaves the same behind", () => {
  test.each([
    "create --name NAME busybox",
    "create --name NAME -it -w /x -u 1:2 -h host --domainname d busybox sh -c true",
    "create --name NAME -v ./data:/data:ro -v named:/n -v /anonymous --tmpfs /t:size=1m busybox",
    "create --name NAME --mount type=bind,src=.,dst=/d,ro --mount type=tmpfs,dst=/q busybox",
    "create --name NAME -p 127.0.0.1:8081:80 -p 9000-9001:9000-9001/udp --expose 7 busybox",
    "create --name NAME -e A=1 -e B= -e A=2 -l a=b -l c --label odd=x busybox ps -a -- --bogus",
    "create --name NAME -m 64m --cpus 0.5 --pids-limit 9 --ulimit nofile=1:2 --cap-drop all --cap-add chown busybox",
    "create --name NAME --restart on-failure:3 --stop-signal 9 --stop-timeout 4 --health-cmd true --no-healthcheck=false busybox",
    "create --name NAME --read-only --security-opt no-new-privileges --sysctl net.core.somaxconn=9 --dns 127.0.0.1 busybox",
    "create --name NAME --network none --add-host a:1.2.3.4 --log-driver json-file --log-opt max-size=1m busybox",
    "container create --name NAME --entrypoint cat --annotation x=y --device /dev/null:/dev/x:r busybox",
  ])("berth %s", async (line) => {
    const [a, b] = await bothWays((suffix) => words(line.replace("NAME", `made${suffix}`)));
    expect(b).toEqual(a);
    expect(await recorded("made-hosted")).toEqual(await recorded("made-own"));
    await engine.ok("rm", "-v", "made-own", "made-hosted");
  });

  test("the life of a container, command by command", async () => {
    const life = [
      "create --name NAME --label k=v busybox sleep 600",
      "start NAME nope",
      "pause NAME",
      "unpause NAME",
      "restart -t 0 NAME",
      "stop -t 0 NAME nope",
      "start NAME",
      "kill -s KILL NAME",
      "rename NAME renamed-NAME",
      "rm -v renamed-NAME nope",
    ];
    for (const line of life) {
      const [a, b] = await bothWays((suffix) => words(line.replaceAll("NAME", `lives${suffix}`)));
      expect([line, b]).toEqual([line, a]);
    }
    expect(await engine.ok("ps", "-aq", "--filter", "name=lives")).toBe("");
  });

  test("volumes, networks and names, command by command", async () => {
    const lines = [
      "volume create --label a=b --opt type=tmpfs --opt device=tmpfs NAME",
      "volume ls -q --filter name=NAME",
      "network create --internal --label a=b NAME",
      "network connect --alias x NAME created",
      "network disconnect NAME created",
      "network rm NAME nope",
      "volume rm NAME nope",
      "tag busybox example/NAME:v1",
      "rmi example/NAME:v1 example/NAME:v2",
    ];
    for (const line of lines) {
      const [a, b] = await bothWays((suffix) => words(line.replaceAll("NAME", `thing${suffix}`)));
      expect([line, b]).toEqual([line, a]);
    }
    expect(await engine.ok("volume", "ls", "-q", "--filter", "name=thing")).toBe("");
    expect(await engine.ok("network", "ls", "-q", "--filter", "name=thing")).toBe("");
  });

  test("a terminal's size reaches the container that is created for it", async () => {
    const answer = await hosted(engine.socket, build, ["create", "-t", "--name", "sized", "busybox"], {
      terminals: [true, true, true],
      window: { rows: 33, columns: 111 },
    });
    expect(answer.code).toBe(0);
    const [made] = JSON.parse(await engine.ok("inspect", "sized")) as {
      HostConfig: { ConsoleSize: number[] };
    }[];
    expect(made?.HostConfig.ConsoleSize).toEqual([33, 111]);
    await engine.ok("rm", "sized");
  });

  test("at a terminal an error is told with what the engine knows beyond it", async () => {
    const at = (terminal: boolean): Promise<HostedAnswer> =>
      hosted(engine.socket, build, ["create", "--name", "running", "busybox"], {
        terminals: [false, false, terminal],
      });
    const [plain, told] = [await at(false), await at(true)];
    expect(told.stderr.startsWith(plain.stderr)).toBe(true);
  });
});
