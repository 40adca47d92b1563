/**
 * The launcher, in the executable it is part of, against an engine in this process that answers as each test says. Where the
 * launcher leaves a command to the ordinary client, that lists the engine's containers: none.
 */
import { afterAll, afterEach, describe as describeAll, expect, test } from "bun:test";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  accepted,
  type CommandEngine,
  ending,
  frame,
  sendAll,
  startCommandEngine,
} from "../harness/command-engine.ts";
import { berth, type Outcome } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

/** Elsewhere the executable has no launcher: docs/decisions/0085. */
const describe = describeAll.skipIf(process.arch !== "x64");

const engine: CommandEngine = await startCommandEngine();
const config = join(engine.home, "config");
const header = "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n";
const asked = "POST /berth/command";
const listed = "GET /v1.51/containers/json";

/** A clean environment: nothing of the machine's, so that each test says what there is. */
const plain = {
  PATH: process.env["PATH"] ?? "",
  HOME: engine.home,
  DOCKER_HOST: engine.url,
  DOCKER_CONFIG: config,
};

async function outcomeOf(command: string[], env: Record<string, string>): Promise<Outcome> {
  const child = Bun.spawn(command, {
    env,
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 50_000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

const launch = (args: readonly string[], env: Record<string, string> = plain): Promise<Outcome> =>
  outcomeOf([berth, ...args], env);

/** A shell's command line, with the executable as "$berth". */
const shell = (script: string): Promise<Outcome> =>
  outcomeOf(["/bin/bash", "-c", script], { ...plain, berth });

/** What the engine sends in answer to the launcher; without `open` it closes the connection after that. */
function answers(parts: readonly (string | Uint8Array)[], open?: "open"): void {
  engine.answer = async (line) => {
    for (const part of parts) if (!(await sendAll(line, part))) return;
    if (!open) line.end();
  };
}

const requests = (): string[] => engine.seen.filter((one) => one !== "closed");

async function isAskedOnce(): Promise<void> {
  expect(
    await until(
      () => engine.commands.length,
      (count) => count > 0,
      { everyMs: 2 },
    ),
  ).toBe(1);
}

afterEach(async () => {
  engine.seen.length = engine.commands.length = 0;
  await rm(config, { recursive: true, force: true });
});
afterAll(() => engine[Symbol.asyncDispose]());

describe("a command that the engine takes", () => {
  test("is told in full: build, folder, terminals, the variables that matter, arguments", async () => {
    answers([accepted, ending(0)]);
    await launch(["container", "ls", "-a", "", "--filter", "name=é x"], {
      ...plain,
      DOCKER_DEFAULT_PLATFORM: "linux/amd64",
      SECRET_TOKEN: "no business of the engine",
      DOCKER_HOSTS: "neither",
    });
    const [command] = engine.commands;
    expect(command).toMatchObject({
      folder: "/",
      terminals: "000 0 0",
      args: ["container", "ls", "-a", "", "--filter", "name=é x"],
    });
    expect(command?.buildId).toMatch(/^[\d.]+-\w+-[0-9a-f]{16}$/);
    expect(command?.environment.sort()).toEqual([
      `DOCKER_CONFIG=${config}`,
      "DOCKER_DEFAULT_PLATFORM=linux/amd64",
      `DOCKER_HOST=${engine.url}`,
      `HOME=${engine.home}`,
    ]);
    expect(requests()).toEqual([asked]);
  });

  test("writes to both outputs in the order of the frames, and ends with the code told", async () => {
    answers([accepted, frame(1, "one\n"), frame(2, "two\n"), frame(1, ""), frame(1, "three\n"), ending(7)]);
    expect(await launch(["ps"])).toEqual({ code: 7, stdout: "one\nthree\n", stderr: "two\n" });
    expect((await shell('"$berth" ps 2>&1')).stdout).toBe("one\ntwo\nthree\n");
  });

  test("gets its frames whole when they come in pieces of one byte", async () => {
    const bytes = Buffer.concat([Buffer.from(accepted), frame(1, "all of it\n"), frame(2, "!"), ending(3)]);
    engine.answer = async (line) => {
      for (const byte of bytes) {
        line.write(Uint8Array.of(byte));
        line.flush();
        await Bun.sleep(0);
      }
      line.end();
    };
    expect(await launch(["ps"])).toEqual({ code: 3, stdout: "all of it\n", stderr: "!" });
  });

  test("writes frames of any length, to a slow reader, too", async () => {
    const data = Buffer.alloc(6_000_000, "0123456789abcdef\n");
    answers([accepted, frame(1, data.subarray(0, 5_999_000)), frame(1, data.subarray(5_999_000)), ending(0)]);
    expect((await launch(["ps"])).stdout).toBe(data.toString());
    const slow = await shell('"$berth" ps | (read -r; sleep 0.2; cat) | wc -c');
    expect(slow.stdout.trim()).toBe(String(data.length - 17));
  });

  test("waits where its output is non-blocking and full", async () => {
    const data = Buffer.alloc(500_000, "0123456789abcdef\n");
    answers([accepted, frame(1, data), ending(9)]);
    const nonBlocking = "use Fcntl; fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV";
    const { stdout } = await shell(
      `(perl -e '${nonBlocking}' "$berth" ps; echo "code $?" >&2) 2>"$DOCKER_CONFIG.code" | (sleep 0.2; wc -c); cat "$DOCKER_CONFIG.code"`,
    );
    expect(stdout.split(/\s+/)).toEqual(["500000", "code", "9", ""]);
  });

  test("leaves its input to whoever comes after it", async () => {
    answers([accepted, ending(0)]);
    expect((await shell('echo kept | ("$berth" ps; cat)')).stdout).toBe("kept\n");
  });

  test("tells of its terminals, and their size", async () => {
    answers([accepted, ending(0)]);
    const typed = 'stty rows 33 cols 77; "$berth" ps; "$berth" ps 2>/dev/null | cat';
    await outcomeOf(["script", "-qec", typed, "/dev/null"], { ...plain, berth });
    expect(engine.commands.map(({ terminals }) => terminals)).toEqual(["111 33 77", "100 0 0"]);
  });
});

describe("the launcher ends as the ordinary client does", () => {
  const unread: Record<string, (command: string) => string> = {
    "when nobody reads its output": (command) => `exec 3> >(true); wait $!; ${command} >&3; echo $?`,
    "when nobody reads its output and SIGPIPE is ignored": (command) =>
      `exec 3> >(true); wait $!; trap '' PIPE; ${command} >&3; echo $?`,
    "when nobody reads its errors either": (command) =>
      `exec 3> >(true); wait $!; ${command} >/dev/full 2>&3; echo $?`,
    "when the disk of its output is full": (command) => `${command} >/dev/full; echo $?`,
    "when its output may grow no more": (command) => `ulimit -f 0; ${command} >"$HOME/grown"; echo $?`,
    "when its output is open for reading alone": (command) => `${command} 1</dev/null; echo $?`,
  };
  for (const [name, script] of Object.entries(unread))
    test(name, async () => {
      answers([accepted, frame(1, "some output\n"), ending(0)]);
      const taken = await shell(script('"$berth" ps'));
      expect(requests()).toEqual([asked]);
      const own = await shell(script('"$berth" --log-level info ps')); // the launcher knows no options
      expect(requests()).toEqual([asked, listed]);
      expect(taken).toEqual(own);
    });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    test(`by ${signal}, and the engine sees that it went`, async () => {
      answers([], "open");
      const child = Bun.spawn([berth, "ps"], {
        env: plain,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
      });
      await isAskedOnce();
      child.kill(signal);
      await child.exited;
      expect(child.signalCode).toBe(signal);
      expect(
        await until(
          () => engine.seen.at(-1),
          (last) => last === "closed",
        ),
      ).toBe("closed");
    });

  test("and goes on after it was stopped", async () => {
    const { promise: continued, resolve } = Promise.withResolvers<void>();
    engine.answer = async (line) => {
      await continued;
      await sendAll(line, Buffer.concat([Buffer.from(accepted), frame(1, "on\n"), ending(0)]));
    };
    const child = Bun.spawn([berth, "ps"], { env: plain, stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    await isAskedOnce();
    child.kill("SIGSTOP");
    child.kill("SIGCONT");
    resolve();
    expect(await new Response(child.stdout).text()).toBe("on\n");
    expect(await child.exited).toBe(0);
  });

  const lost = 'error during connect: Post "http://docker.example.com/berth/command": ';
  const broken: Record<string, [(string | Uint8Array)[], string]> = {
    "right after the engine accepted": [[accepted], "unexpected EOF"],
    "in the head of a frame": [
      [accepted, frame(1, "said\n"), frame(1, "x").subarray(0, 5)],
      "unexpected EOF",
    ],
    "within a frame": [[accepted, frame(1, "said\nmore").subarray(0, 13)], "unexpected EOF"],
    "without an exit code": [[accepted, frame(1, "said\n")], "unexpected EOF"],
    "within the frame of the exit code": [[accepted, ending(0).subarray(0, 8)], "unexpected EOF"],
    "and the next is no frame": [[accepted, frame(1, "said\n"), "HTTP/1.1 500 oh\r\n"], "malformed frame"],
    "and the exit code is of two bytes": [[accepted, frame(3, "ab")], "malformed frame"],
    "and it declines after it wrote": [[accepted, frame(1, "said\n"), frame(4, "")], "malformed frame"],
    "and the stream is one of its input": [[accepted, frame(0, "said\n")], "malformed frame"],
  };
  for (const [name, [parts, reason]] of Object.entries(broken))
    test(`when the connection breaks ${name}: once, with an error, never a second time`, async () => {
      answers(parts);
      const { code, stdout, stderr } = await launch(["ps"]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: `${lost}${reason}\n` });
      expect("said\n").toStartWith(stdout);
      expect(requests()).toEqual([asked]);
    });
});

describe("the ordinary client runs the command, after the launcher closed its connection, when the engine", () => {
  const head = (status: string, ...lines: string[]): string =>
    [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
  const declined: Record<string, (string | Uint8Array)[]> = {
    "has another build": [head("409 Conflict", "Content-Length: 15"), '{"message":"x"}'],
    "does not know the question": [head("404 Not Found", "Content-Length: 0")],
    "answers as if it were an ordinary question": [head("200 OK", "Content-Length: 2"), "[]"],
    "is not done deciding": [head("100 Continue")],
    "turns to another protocol": [
      head("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"),
    ],
    "says something else than HTTP": ["SSH-2.0-OpenSSH_9.2p1\r\n\r\n"],
    "sends an endless head": [
      head("101 Switching Protocols", "Upgrade: berth-command", `X: ${"x".repeat(17_000)}`),
    ],
    "closes the connection at once": [],
    "closes it within the answer's head": [accepted.slice(0, -2)],
    "accepts and then declines, having written nothing": [accepted, frame(4, "")],
  };
  for (const [name, parts] of Object.entries(declined))
    test(name, async () => {
      answers(parts);
      expect(await launch(["ps"])).toEqual({ code: 0, stdout: header, stderr: "" });
      const seen = await until(
        () => engine.seen,
        ({ length }) => length === 4,
      );
      expect(seen).toEqual([asked, "closed", listed, "closed"]);
    });

  test("resets the connection instead of reading the question", async () => {
    engine.answer = (line) => void line.terminate();
    expect(await launch(["ps"])).toMatchObject({ code: 0, stdout: header });
  });

  test("is not there", async () => {
    const missing = { ...plain, DOCKER_HOST: `unix://${engine.home}/none.sock` };
    expect(await launch(["ps"], missing)).toEqual({
      code: 1,
      stdout: "",
      stderr: `Cannot connect to the Docker daemon at unix://${engine.home}/none.sock. Is the docker daemon running?\n`,
    });
  });
});

describe("the engine is not even asked", () => {
  const notAsked = async (outcome: Promise<Outcome>, what: Partial<Outcome> = { code: 0 }): Promise<void> => {
    answers([accepted, frame(1, "the engine was asked\n"), ending(99)]);
    expect(await outcome).toMatchObject(what);
    expect(engine.commands).toEqual([]);
  };

  for (const args of [
    ["--help"],
    ["container"],
    ["container ls"],
    ["-D", "ps"],
    ["psx"],
    ["p"],
    ["container", "l"],
    [""],
    [],
  ])
    test(`for another command line: ${JSON.stringify(args)}`, () => notAsked(launch(args), {}));

  test("for a program name and nothing else, whatever it is", () => notAsked(shell('exec -a "" "$berth"')));

  for (const [name, value] of Object.entries({
    BERTH_TRACE: "1",
    BUN_OPTIONS: "--smol",
    DOCKER_CERT_PATH: "/nowhere",
    DOCKER_CONTEXT: "default",
    DOCKER_CUSTOM_HEADERS: "a=b",
    DOCKER_TLS: "0",
  }))
    test(`where ${name} is set`, () => notAsked(launch(["ps"], { ...plain, [name]: value })));

  test("where the folder of the configuration is known to the passwd file alone", () =>
    notAsked(launch(["ps"], { DOCKER_HOST: engine.url })));

  for (const host of [
    " unix://@",
    "unix://@ ",
    "tcp://localhost:1",
    "unix://relative.sock",
    `unix:///${"x".repeat(108)}`,
  ])
    test(`where the host is ${host}`, () =>
      notAsked(launch(["ps"], { ...plain, DOCKER_HOST: host.replace("@", engine.url.slice(7)) }), {}));

  const configurations: Record<string, string> = {
    "a format of its own": '{"psFormat": "{{.ID}}"}',
    "another current context": '{"currentContext":"default"}',
    headers: '{"HttpHeaders": {}}',
    "a key that may hide one": '{"HttpHe\\u0061ders": {}}',
    "a mistake: a comma too many": '{"auths": {},}',
    "a mistake: no end": '{"auths": {"a": [1, 2',
    "a mistake: two values": "{} {}",
    "a mistake: a number": '{"a": 01}',
    "a mistake: a line break in a string": '{"a": "\n"}',
    nothing: "",
    "a list": "[]",
    "more levels than there should be": `{"a":${"[".repeat(40)}${"]".repeat(40)}}`,
    "more bytes than there should be": `{"a":"${"x".repeat(70_000)}"}`,
  };
  for (const [name, text] of Object.entries(configurations))
    test(`where the configuration has ${name}`, async () => {
      await mkdir(config);
      await writeFile(join(config, "config.json"), text);
      await notAsked(launch(["ps"]), {});
    });

  test("where the configuration is no file, or its folder none", async () => {
    await mkdir(join(config, "config.json"), { recursive: true });
    await notAsked(launch(["ps"]), {});
    await rm(config, { recursive: true });
    await writeFile(config, "");
    await notAsked(launch(["ps"]), {});
  });

  test("where the command line is longer than the engine reads", () =>
    notAsked(launch(["ps", "--filter", `name=${"x".repeat(70_000)}`])));

  for (const closed of ["<&-", ">&-", "2>&-"])
    test(`where a descriptor is closed: ${closed}`, () => notAsked(shell(`"$berth" ps ${closed}`), {}));

  test("where the folder it stands in is gone", () =>
    notAsked(shell('mkdir "$HOME/gone"; cd "$HOME/gone"; rmdir "$HOME/gone"; "$berth" ps'), {}));
});

describe("the engine is asked", () => {
  const isAsked = async (outcome: Promise<Outcome>): Promise<void> => {
    answers([accepted, frame(1, "asked\n"), ending(0)]);
    expect(await outcome).toEqual({ code: 0, stdout: "asked\n", stderr: "" });
  };

  test("that BERTH_HOST names rather than DOCKER_HOST", () =>
    isAsked(launch(["ps"], { ...plain, BERTH_HOST: engine.url, DOCKER_HOST: "tcp://localhost:1" })));

  test("that DOCKER_HOST names where BERTH_HOST is empty, with other empty variables", () =>
    isAsked(launch(["ps"], { ...plain, BERTH_HOST: "", DOCKER_TLS: "", DOCKER_CONTEXT: "" })));

  test("where the configuration is a plain one, with logins, behind a link", async () => {
    await mkdir(config);
    const text = JSON.stringify(
      {
        auths: { "registry.example.com": { auth: "c2VjcmV0" } },
        credsStore: "",
        a: [1, 20, true, false, null, {}, []],
      },
      null,
      "\t",
    );
    await writeFile(join(engine.home, "real.json"), `${text}\n`);
    await symlink(join(engine.home, "real.json"), join(config, "config.json"));
    await isAsked(launch(["ps"]));
    expect(JSON.stringify(engine.commands)).not.toContain("c2VjcmV0");
  });

  test("with HOME's configuration where DOCKER_CONFIG is not set", () =>
    isAsked(launch(["ps"], { HOME: engine.home, DOCKER_HOST: engine.url })));

  test("whatever the program is called", () => isAsked(shell('exec -a /nowhere/at-all "$berth" ps')));
});
