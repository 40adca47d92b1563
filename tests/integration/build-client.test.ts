/** `berth build`: folders read in place, what it prints and where results go. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { contextFolder } from "../harness/context-folder.ts";
import { berth, processesWith, run as runProgram, startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;
const context = contextFolder("build-client");

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
});
afterAll(async () => {
  await engine?.destroy();
});

const files = (contents: Record<string, string>): Promise<void> => context.files(contents);

const build = (...args: string[]) => engine.berth("build", ...args, context.path);
const run = (image: string, script: string) => engine.ok("run", "--rm", image, "sh", "-c", script);

test("a folder is read in place: without what the ignore file names, with links kept in it", async () => {
  await files({
    Dockerfile: "FROM busybox\nCOPY . /c\n",
    ".dockerignore": "**/*.o\n!keep.o\nDockerfile\n.dockerignore\n",
    a: "a",
    "sub/b.o": "b",
    "keep.o": "k",
  });
  const { code, stderr } = await build("--progress=plain", "-t", "inplace");
  expect([code, stderr.includes("ERROR")]).toEqual([0, false]);
  expect(stderr).toContain("#1 [internal] load build definition from Dockerfile\n");
  expect(stderr).toMatch(/\[2\/2\] COPY \. \/c\n/);
  expect(stderr.match(/\[2\/2\] COPY/g)).toHaveLength(1);
  expect(await run("inplace", "cd /c; find . -type f | sort")).toBe("./a\n./keep.o");
});

test("-q prints the image ID alone, --iidfile and --metadata-file hold it", async () => {
  await files({ Dockerfile: "FROM busybox\nRUN echo out\n" });
  const [iid, metadata] = [join(context.path, "iid"), join(context.path, "metadata")];
  const { stdout, stderr } = await build("-q", "--iidfile", iid, "--metadata-file", metadata);
  expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n?$/);
  expect(stderr).toBe("");
  expect(await readFile(iid, "utf8")).toBe(stdout.trim());
  const facts = JSON.parse(await readFile(metadata, "utf8"));
  expect(facts["containerimage.config.digest"]).toBe(stdout.trim());
  const { materials, metadata: times } = facts["buildx.build.provenance"];
  expect(materials[0].uri).toMatch(/^pkg:docker\/busybox@latest\?platform=linux%2F/);
  expect(times).toBeUndefined();
});

test("a step that fails shows its output, the lines around it, and ends with 1", async () => {
  await files({ Dockerfile: "FROM busybox\nRUN echo said; exit 7\nRUN true\n" });
  const { code, stderr } = await build("--progress=plain");
  expect(code).toBe(1);
  expect(stderr).toContain("------\n > [2/3] RUN echo said; exit 7:\n");
  expect(stderr).toContain(
    "Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> RUN echo said; exit 7\n",
  );
  expect(stderr.trimEnd()).toEndWith(
    'ERROR: failed to build: failed to solve: process "/bin/sh -c echo said; exit 7" did not complete successfully: exit code: 7',
  );
});

test("--on-error shell keeps what a failed step has written until it is dismissed", async () => {
  await files({
    Dockerfile: `FROM busybox
ARG V=7
WORKDIR /w
RUN echo made >made
RUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null; echo partial >half; exit 5
`,
    secret: "hidden",
  });
  const failed = await build("--on-error=shell", "--secret", `id=s,src=${join(context.path, "secret")}`);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("did not complete successfully: exit code: 5");
  const image = / run -it --rm (failed-step:[a-z0-9]+) /.exec(failed.stderr)?.[1] ?? "";
  expect(await run(image, "pwd; cat made half; echo $V; ls /run 2>/dev/null; true")).toBe(
    "/w\nmade\npartial\n7",
  );
  await engine.stop("SIGTERM");
  await engine.start();
  expect(await run(image, "cat half")).toBe("partial");
  await engine.ok("rmi", image);
  const plain = await build();
  expect([plain.code, plain.stderr.includes("failed-step")]).toEqual([1, false]);
  expect((await build("--on-error=panic")).stderr).toContain('invalid --on-error "panic": fail or shell');
});

test("a wrong file names line and word, and nothing runs", async () => {
  await files({ Dockerfile: "FROM busybox\nRUNN x\n" });
  const { code, stderr } = await build("-q");
  expect(code).toBe(1);
  expect(stderr).toContain("   2 | >>> RUNN x\n");
  expect(stderr).toContain("dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)");
});

test("secrets reach their step and nothing else", async () => {
  await files({
    Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=tok grep -q ^hidden-val /run/secrets/tok\n",
    tok: "hidden-value",
    ".dockerignore": "tok\n",
  });
  const { code, stderr } = await build(
    "--progress=plain",
    "-t",
    "secret",
    "--secret",
    `id=tok,src=${context.path}/tok`,
  );
  expect([code, stderr.includes("hidden-value")]).toEqual([0, false]);
  expect(await engine.ok("history", "--no-trunc", "secret")).not.toContain("hidden-value");
  expect(await run("secret", "ls /run/secrets 2>&1 || true")).toContain("No such file");
});

test.skipIf(Bun.which("ssh-agent") === null)(
  "keys of files are served by an agent of the build's own",
  async () => {
    await files({
      Dockerfile: "FROM busybox\nRUN --mount=type=ssh,id=k test -S $SSH_AUTH_SOCK && ! test -e /key\n",
      notkey: "no key\n",
    });
    const key = join(context.path, "key");
    await runProgram(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
    const { code, stderr } = await build("--no-cache", "--ssh", `k=${key}`);
    expect([code, stderr.includes("ERROR")]).toEqual([0, false]);
    const wrong = await build("--ssh", `k=${join(context.path, "notkey")}`);
    expect([wrong.code, wrong.stderr.includes("notkey: ssh: no key found")]).toEqual([1, true]);
  },
);

test("results go into a folder with the client's own rights, or as a tar to stdout", async () => {
  await files({ Dockerfile: "FROM scratch\nCOPY --chown=5:6 --chmod=640 a /d/a\n", a: "content" });
  expect((await build("-q", "-o", join(context.path, "out"))).code).toBe(0);
  expect(await readFile(join(context.path, "out/d/a"), "utf8")).toBe("content");
  const { uid, mode } = await stat(join(context.path, "out/d/a"));
  expect([uid, mode & 0o777]).toEqual([process.getuid?.() ?? 0, 0o640]);
  const { stdout } = await build("-q", "-o", "-");
  expect(stdout).toContain("d/a");
});

test("what another stage made keeps its owners, and a changed owner is a change", async () => {
  const dockerfile = (owner: string): string => `FROM busybox AS made
RUN mkdir -p /m/d && touch /m/d/f && ln -s f /m/d/l && chown -Rh ${owner} /m/d && touch -d @1000000000 /m
FROM busybox
COPY --from=made /m /m
COPY --from=made --chown=9:9 /m /given
`;
  await files({ Dockerfile: dockerfile("5:6") });
  expect((await build("-q", "-t", "owners")).code).toBe(0);
  const owners = "stat -c '%u:%g' /m /m/d /m/d/f /m/d/l /given /given/d/f; stat -c %Y /m";
  expect(await run("owners", owners)).toBe("0:0\n5:6\n5:6\n5:6\n9:9\n9:9\n1000000000");
  await files({ Dockerfile: dockerfile("5:7") });
  expect((await build("-q", "-t", "owners")).code).toBe(0);
  expect(await run("owners", "stat -c '%u:%g' /m/d/f")).toBe("5:7");
});

test("--check and --call answer without running anything", async () => {
  await files({ Dockerfile: "# t says\nFROM busybox AS t\nARG A=1\nMAINTAINER x\nRUN exit 9\n" });
  const check = await build("--check");
  expect([check.code, check.stdout.split("\n")[0]]).toEqual([1, "Check complete, 1 warning has been found!"]);
  expect((await build("--call", "targets")).stdout).toBe("TARGET      DESCRIPTION\nt (default) says\n");
  expect((await build("--call", "outline")).stdout).toContain(
    "BUILD ARG   VALUE   DESCRIPTION\nA           1       \n",
  );
});

test("--list-context tells what a build may read, and --why which line decides", async () => {
  await files({ Dockerfile: "FROM scratch\n", ".dockerignore": "x*\n!x1\n", x1: "1", x2: "22", y: "333" });
  const { stdout } = await build("--list-context");
  expect(
    stdout
      .split("\n")
      .map((line) => line.trim().split(/\s+/).at(-1))
      .filter(Boolean),
  ).toEqual([".dockerignore", "Dockerfile", "x1", "y"]);
  expect((await build("--list-context", "--why", "x1", "--why", "x2")).stdout.trim()).toBe(
    "x1: included by .dockerignore:2: !x1\nx2: excluded by .dockerignore:1: x*",
  );
});

test("--explain names the file, argument, variable or base that differed, --profile what each step cost", async () => {
  const dockerfile = (base: string, env = "one") =>
    `FROM ${base}\nARG VERSION\nENV MODE=${env}\nCOPY src /src\nRUN echo $VERSION > /v\n`;
  await files({ Dockerfile: dockerfile("busybox"), "src/a": "a", "src/b": "b" });
  const explained = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await build("--explain", "--progress=plain", "-t", "why", ...args);
    expect(code).toBe(0);
    return stderr.slice(stderr.indexOf("Why each step ran:"));
  };
  expect(await explained("--build-arg", "VERSION=1")).toContain("no earlier build has a step like it");
  expect(await explained("--build-arg", "VERSION=1")).not.toContain(": ran\n");
  await files({ "src/b": "changed", "src/c": "c" });
  const changed = await explained("--build-arg", "VERSION=1");
  expect(changed).toContain("COPY src /src: ran\n    the file src/b differs\n    the file src/c is new\n");
  expect(changed).toContain("> /v: ran\n    the result of [2/3] COPY src /src differs\n");
  expect(await explained("--build-arg", "VERSION=2")).toContain(
    "> /v: ran\n    the variable VERSION (ARG or ENV) differs\n",
  );
  await files({ Dockerfile: dockerfile("busybox", "two") });
  expect(await explained("--build-arg", "VERSION=2")).toContain(
    "> /v: ran\n    the variable MODE (ARG or ENV) differs\n",
  );
  expect(
    (await engine.berth("commit", (await engine.ok("create", "busybox", "true")).trim(), "other")).code,
  ).toBe(0);
  await files({ Dockerfile: dockerfile("other", "two"), "src/a": "again" });
  const based = await explained("--build-arg", "VERSION=2", "--profile");
  expect(based).toContain("the base image docker.io/library/other:latest differs");
  expect(based).toMatch(/TIME +CPU +MEMORY +ADDED +STEP\n/);
  expect(based).toMatch(/\d\.\ds +\d\.\d\ds +\d\S*B +\d\S*B +\[3\/3\] RUN echo/);
});

test("a build warns of copied files that the ignore file names, where the Dockerfile asks for it", async () => {
  await files({
    Dockerfile: "# check=experimental=CopyIgnoredFile\nFROM busybox\nCOPY x* b /\n",
    xa: "",
    b: "",
    ".dockerignore": "b\n",
  });
  const { stderr } = await build("--progress=plain");
  expect(stderr).toContain('CopyIgnoredFile: Attempting to Copy file "b" that is excluded by .dockerignore');
});

test("past builds are listed, shown and forgotten", async () => {
  await engine.ok("build", "history", "rm", "--all");
  await files({ Dockerfile: "FROM busybox\nRUN true\n" });
  expect((await build("-q", "-t", "remembered", "--build-arg", "TOKEN=hidden-val")).code).toBe(0);
  await files({ Dockerfile: "FROM busybox\nRUN echo to out; echo to err >&2; exit 3\n" });
  expect((await build("-q", "-t", "broken")).code).toBe(1);
  const list = (await engine.ok("build", "history", "ls")).split("\n");
  expect(list.map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
    ["NAME", "STATUS"],
    ["broken", "Error"],
    ["remembered", "Completed"],
  ]);
  expect(await engine.ok("build", "history", "inspect")).toContain(
    "did not complete successfully: exit code: 3",
  );
  const [, ref = ""] = (await engine.ok("builder", "history", "ls", "-q")).split("\n");
  const shown = await engine.ok("build", "history", "inspect", ref.slice(0, 12), "--format", "json");
  expect(JSON.parse(shown)).toMatchObject({ ref, status: "completed", buildArgs: ["TOKEN"] });
  expect(shown).not.toContain("hidden-val");
  expect((await engine.berth("build", "history", "logs", "^1")).stderr).toMatch(
    /\[2\/2\] RUN true\n#\d (DONE|CACHED)/,
  );
  const printed = (await engine.berth("build", "history", "logs")).stderr;
  expect(printed).toMatch(/\n#\d [\d.]+ to out\n/);
  expect(printed).toMatch(/\n#\d [\d.]+ to err\n/);
  await engine.ok("build", "history", "rm", ref);
  expect((await engine.berth("build", "history", "inspect", ref)).stderr).toContain(
    `no record found for ref "${ref}"`,
  );
});

test("a folder named history is still built", async () => {
  await files({ "history/Dockerfile": "FROM busybox\n" });
  const { code } = await runProgram([
    "sh",
    "-c",
    'cd "$1" && "$2" -H "$3" build history -q',
    "sh",
    context.path,
    berth,
    engine.host,
  ]);
  expect(code).toBe(0);
});

test("credential helpers serve base images and pushes", async () => {
  const registry = await startRegistry(engine, { port: 5031, login: { user: "me", password: "secret" } });
  try {
    await files({
      Dockerfile: "ARG REGISTRY\nFROM $REGISTRY/base\nRUN true\n",
      "bin/docker-credential-test": `#!/bin/sh
read server
[ "$server" = ${registry.address} ] || { echo credentials not found in native keychain; exit 1; }
echo '{"Username":"me","Secret":"secret"}'
`,
      "config/config.json": JSON.stringify({ credsStore: "test" }),
    });
    await chmod(join(context.path, "bin/docker-credential-test"), 0o755);
    const env = { PATH: `${join(context.path, "bin")}:${process.env["PATH"]}` };
    const helped = (...args: string[]) =>
      runProgram([berth, "-H", engine.host, "--config", join(context.path, "config"), ...args], { env });
    await engine.ok("tag", "busybox", `${registry.address}/base`);
    expect((await helped("push", `${registry.address}/base`)).code).toBe(0);
    await engine.ok("rmi", `${registry.address}/base`);
    const args = [
      "--build-arg",
      `REGISTRY=${registry.address}`,
      "-t",
      `${registry.address}/made`,
      "--push",
      context.path,
    ];
    const refused = await engine.berth("build", ...args);
    expect(refused.code).toBe(1);
    const { code, stderr } = await helped("build", "--progress=plain", ...args);
    expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  } finally {
    await registry.destroy();
  }
});

test("a client that is gone ends its build", async () => {
  const marker = String(6_000_000 + process.pid);
  await files({ Dockerfile: `FROM busybox\nRUN sleep ${marker}\n` });
  const child = Bun.spawn([berth, "-H", engine.host, "build", "--progress=plain", context.path], {
    stdout: "ignore",
    stderr: "ignore",
  });
  const until = async (wanted: boolean) => {
    while ((await processesWith(marker)).length > 0 !== wanted) await Bun.sleep(50);
  };
  await until(true);
  child.kill("SIGKILL");
  await child.exited;
  await until(false);
});
