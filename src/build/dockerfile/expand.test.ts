// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile texts
import { describe, expect, test } from "bun:test";
import type { CopyStep, RunStep, Step } from "./steps.ts";
import { expandFile, image } from "./testing/expand-file.ts";

const runs = (steps: readonly Step[]): RunStep[] => steps.filter((step) => step.kind === "run");
const copies = (steps: readonly Step[]): CopyStep[] => steps.filter((step) => step.kind === "copy");

describe("an expanded stage", () => {
  test("has Docker's history, whatever the instruction", () => {
    const file = `FROM busybox
ARG V=1
ENV A=$V
RUN echo $V
COPY Dockerfile /x
ADD Dockerfile /y
WORKDIR /w
USER 1:1
LABEL a="b c"
EXPOSE 80
VOLUME ["/v"]
STOPSIGNAL 9
HEALTHCHECK CMD true
ONBUILD RUN x
SHELL ["/bin/sh", "-c"]
ENTRYPOINT ["a", "b"]
CMD ["c"]
`;
    const { target } = expandFile(file);
    expect(
      target.history.map(({ createdBy, emptyLayer }) => (emptyLayer ? createdBy : `+${createdBy}`)),
    ).toEqual([
      "ARG V=1",
      "ENV A=1",
      "+RUN |1 V=1 /bin/sh -c echo $V # buildkit",
      "+COPY Dockerfile /x # buildkit",
      "+ADD Dockerfile /y # buildkit",
      "+WORKDIR /w",
      "USER 1:1",
      "LABEL a=b c",
      "EXPOSE [80/tcp]",
      "VOLUME [/v]",
      "STOPSIGNAL 9",
      `HEALTHCHECK &{["CMD-SHELL" "true"] "0s" "0s" "0s" "0s" '\\x00'}`,
      "SHELL [/bin/sh -c]",
      'ENTRYPOINT ["a" "b"]',
      'CMD ["c"]',
    ]);
    expect(target.config as unknown).toEqual({
      Env: ["PATH=/bin", "A=1"],
      Cmd: ["c"],
      ArgsEscaped: true,
      Entrypoint: ["a", "b"],
      WorkingDir: "/w",
      User: "1:1",
      Labels: { a: "b c" },
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/v": {} },
      StopSignal: "9",
      Healthcheck: { Test: ["CMD-SHELL", "true"] },
      OnBuild: ["RUN x"],
      Shell: ["/bin/sh", "-c"],
    });
  });

  test("names its steps as BuildKit does", () => {
    const file = "FROM busybox AS build\nWORKDIR /a\nrun make $X\nFROM scratch\nCOPY --from=build /a /\n";
    const { stages } = expandFile(file);
    expect([stages[0]?.fromName, ...stages.flatMap(({ steps }) => steps.map(({ name }) => name))]).toEqual([
      "[build 1/3] FROM docker.io/library/busybox:latest",
      "[build 2/3] WORKDIR /a",
      "[build 3/3] RUN make $X",
      "[stage-1 1/1] COPY --from=build /a /",
    ]);
    const alone = expandFile(`FROM busybox\n${"RUN a\n".repeat(9)}`).target;
    expect(alone.fromName).toBe("[ 1/10] FROM docker.io/library/busybox:latest");
    expect(expandFile("FROM busybox\nRUN --mount=type=cache,target=/c a").target.steps[0]?.name).toBe(
      "[stage-0 2/2] RUN --mount=type=cache,target=/c a",
    );
    const platforms = expandFile("FROM --platform=$BUILDPLATFORM busybox\nARG TARGETPLATFORM\nRUN a", {
      namesPlatform: true,
      targetPlatform: { os: "linux", architecture: "arm64" },
    });
    expect(platforms.target.steps[0]?.name).toBe("[linux/amd64->arm64 2/2] RUN a");
  });

  test("sees arguments in order: global, declared, given, and those of the stage below", () => {
    const file = `ARG G=1
ARG H=$G-h
FROM busybox AS one
ARG H
ARG O=\${G:-none}
RUN a
FROM one
ARG P=$O
RUN b $TARGETARCH
`;
    const [first, second] = expandFile(file, { buildArgs: new Map([["P", "given"]]) }).stages;
    expect(runs(first?.steps ?? [])[0]?.env).toEqual(["PATH=/bin", "H=1-h", "O=none"]);
    expect(runs(second?.steps ?? [])[0]?.env).toEqual(["PATH=/bin", "H=1-h", "O=none", "P=given"]);
    expect(second?.history[1]?.createdBy).toBe(
      "RUN |3 H=1-h O=none P=given /bin/sh -c b $TARGETARCH # buildkit",
    );
  });

  test("keeps proxies out of variables and history", () => {
    const { target } = expandFile("FROM busybox\nRUN a", {
      buildArgs: new Map([["HTTP_PROXY", "http://p"]]),
    });
    const [run] = runs(target.steps);
    expect(run).toMatchObject({
      proxy: { http_proxy: "http://p", HTTP_PROXY: "http://p" },
      env: ["PATH=/bin"],
    });
    expect(run?.createdBy).not.toContain("http://p");
  });

  test("begins in / on nothing", () => {
    expect(expandFile("FROM scratch\nCOPY a /").target.config.WorkingDir).toBe("/");
  });

  test("always has a PATH", () => {
    const { target } = expandFile('FROM scratch\nRUN ["a"]');
    expect(target.config.Env).toEqual(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
  });

  test("runs the base's triggers first, once, and those of a stage below", () => {
    const base = image({ OnBuild: ["RUN one", "COPY --from=x /a /b", "ENV A=1"] });
    const { target } = expandFile("FROM base\nRUN $A two", {}, base);
    expect(target.steps.map(({ name }) => name)).toEqual([
      "[2/5] ONBUILD RUN one",
      "[3/5] ONBUILD COPY --from=x /a /b",
      "[4/5] RUN $A two".replace("$A", "1"),
    ]);
    expect(target.config.OnBuild).toBeUndefined();
    const [, second] = expandFile("FROM busybox AS a\nONBUILD RUN t\nFROM a\nRUN u").stages;
    expect(runs(second?.steps ?? []).map(({ args }) => args[2])).toEqual(["t", "u"]);
    expect(() => expandFile("FROM base", {}, image({ OnBuild: ["FROM x"] }))).toThrow("FROM isn't allowed");
    expect(() => expandFile("FROM base", {}, image({ OnBuild: ["RUN a\nRUN b"] }))).toThrow(
      "single expression",
    );
  });

  test("clears an inherited CMD with ENTRYPOINT, but not its own", () => {
    expect(expandFile('FROM busybox\nENTRYPOINT ["a"]').target.config.Cmd).toBeUndefined();
    expect(expandFile('FROM busybox\nCMD ["b"]\nENTRYPOINT ["a"]').target.config.Cmd).toEqual(["b"]);
  });
});

describe("RUN", () => {
  test("with one heredoc runs it in the shell, as a file after #!, or leaves it to the shell", () => {
    const file = "FROM b\nRUN <<EOF\na\nb\nEOF\nRUN <<EOF\n#!/bin/x\nc\nEOF\nRUN cat <<-EOF\n\td\nEOF\n";
    const steps = runs(expandFile(file).target.steps);
    expect(steps.map(({ args }) => args)).toEqual([
      ["/bin/sh", "-c", "a\nb\n"],
      ["/bin/sh", "-c", "/dev/pipes/EOF"],
      ["/bin/sh", "-c", "cat <<-EOF\n\td\nEOF"],
    ]);
    expect(steps[1]?.inlineFile).toEqual({ path: "/dev/pipes/EOF", content: "#!/bin/x\nc\n" });
    expect(steps.map(({ name }) => name)).toEqual([
      "[2/4] RUN <<EOF (a...)",
      "[3/4] RUN <<EOF (#!/bin/x...)",
      "[4/4] RUN cat <<-EOF",
    ]);
  });

  test("mounts with defaults, paths made absolute, caches with their namespace", () => {
    const file = `FROM b AS x
FROM b
WORKDIR /w
ARG D=/dst
RUN --mount=target=in,from=x --mount=type=cache,target=/c/ --mount=type=tmpfs,target=$D,size=1m \\
  --mount=type=secret,id=s --mount=type=secret,id=t,env=T --mount=type=ssh --mount=type=ssh,id=k true $T
`;
    const [, , run] = [
      undefined,
      ...expandFile(file, { buildArgs: new Map([["BUILDKIT_CACHE_MOUNT_NS", "n"]]) }).target.steps,
    ];
    if (run?.kind !== "run") throw new Error("no RUN");
    expect(run.mounts).toMatchObject([
      { type: "bind", from: { kind: "stage", index: 0 }, source: "/", target: "/w/in", readOnly: true },
      {
        type: "cache",
        from: { kind: "scratch" },
        target: "/c",
        id: "n//c",
        sharing: "shared",
        readOnly: false,
      },
      { type: "tmpfs", target: "/dst", sizeLimit: 1 << 20 },
      { type: "secret", id: "s", target: "/run/secrets/s", required: false },
      { type: "secret", id: "t", target: undefined, env: "T" },
      { type: "ssh", id: "default", target: "/run/buildkit/ssh_agent.0" },
      { type: "ssh", id: "k", target: "/run/buildkit/ssh_agent.1" },
    ]);
    expect(run.name).toContain("true ****");
  });
});

describe("COPY and ADD", () => {
  test("say what they read and where it goes", () => {
    const file = `FROM b AS x
FROM b
WORKDIR /w
COPY --from=x --chown=1:2 --chmod=u=rwX,go=rX --link --exclude=*.md ../a b/ ./
COPY --from=alpine --parents x/./y/* .
ADD --unpack=false a.tar https://h/f.tgz?x=1 https://h/r.git#v1:sub /d
COPY --chmod=755 <<one <<"two" /t/
$A
one
$A
two
`;
    const [first, second, add, inline] = copies(expandFile(file).target.steps);
    expect(first).toMatchObject({
      items: [
        { kind: "path", from: { kind: "stage", index: 0 }, path: "/a", include: undefined, unpack: false },
        { kind: "path", path: "/b" },
      ],
      destination: "/w/",
      chown: "1:2",
      chmod: { symbolic: "u=rwX,go=rX" },
      link: true,
      exclude: ["*.md"],
    });
    expect(second).toMatchObject({
      items: [
        { from: { kind: "image", reference: "docker.io/library/alpine:latest" }, path: "/x", include: "y/*" },
      ],
      destination: "/w/",
    });
    expect(add?.items).toMatchObject([
      { kind: "path", from: { kind: "context" }, path: "/a.tar", unpack: false },
      { kind: "url", url: "https://h/f.tgz?x=1", filename: "f.tgz" },
      { kind: "git", git: { remote: "https://h/r.git", ref: "v1", subdir: "sub" } },
    ]);
    expect(inline?.items).toEqual([
      { kind: "inline", name: "one", content: "\n" },
      { kind: "inline", name: "two", content: "$A\n" },
    ]);
    expect(inline?.createdBy).toBe("COPY --chmod=755 <<one <<two /t/ # buildkit");
  });

  test("read named contexts before images, and a context in a stage's place", () => {
    const file =
      "FROM alpine:latest AS base\nFROM base AS mid\nRUN x\nCOPY --from=other /a /\nCOPY --from=mid a /";
    const { plan } = expandFile("FROM alpine:latest AS base\nRUN x\nFROM base\nCOPY --from=other /a /\n", {
      namedContexts: ["alpine", "other"],
    });
    expect(plan.stages[0]?.base).toEqual({ kind: "context", name: "alpine", whole: false });
    const whole = expandFile("FROM b AS base\nRUN x\nFROM base\nCOPY --from=other /a /\n", {
      namedContexts: ["base", "other"],
    });
    expect(whole.plan.stages[0]).toMatchObject({
      base: { kind: "context", name: "base", whole: true },
      instructions: [],
    });
    expect(copies(whole.target.steps)[0]?.items).toMatchObject([{ from: { kind: "named", name: "other" } }]);
    expect(() => expandFile(file)).toThrow("circular dependency");
  });
});

describe("what a file grows to", () => {
  const doubled = `FROM busybox\nENV x=0123456789\n${"ENV x=$x$x\n".repeat(15)}`;

  test("is bounded over all its words, whatever they are for", () => {
    for (const more of ["ENV y$x=$x\n", 'LABEL y="$x"\n', "ARG z=$x\n", "COPY <<E /f\n$x\nE\n"])
      expect(() => expandFile(doubled + more.repeat(50))).toThrow("the expansion is too long");
    expect(() => expandFile(doubled)).not.toThrow();
    const globals = `ARG x=0123456789\n${"ARG x=$x$x\n".repeat(30)}FROM busybox\n`;
    expect(() => expandFile(globals)).toThrow("the expansion is too long");
  });

  test("holds so many variables, and they may have any name", () => {
    const many = Array.from({ length: 4001 }, (_, at) => `A${at}=b`).join(" \\\n ");
    expect(() => expandFile(`FROM busybox\nENV ${many}\n`)).toThrow("more than 4000 variables");
    const { config } = expandFile("FROM busybox\nENV a=1 b=2 a=3\nENV b=4\nLABEL __proto__=x a=b\n").target;
    expect(config.Env).toEqual(["PATH=/bin", "a=3", "b=4"]);
    expect(JSON.stringify(config.Labels)).toBe('{"__proto__":"x","a":"b"}');
  });

  test("tells its RUN instructions no more variables than can be kept with each", () => {
    const pairs = Array.from({ length: 1000 }, (_, at) => `A${at}=${"v".repeat(100)}`).join(" \\\n ");
    const file = (count: number): string => `FROM busybox\nENV ${pairs}\n${"RUN a\n".repeat(count)}`;
    const [first, second] = runs(expandFile(file(100)).target.steps);
    expect(second?.env).toBe(first?.env ?? []);
    expect(() => expandFile(file(1000))).toThrow("more variables in all");
    const changed = runs(expandFile("FROM busybox\nRUN a\nARG x=1\nRUN a\nENV y=2\nRUN a\n").target.steps);
    expect(changed.map(({ env }) => env.slice(1))).toEqual([[], ["x=1"], ["x=1", "y=2"]]);
  });

  test("is kept by a classic build's history as it was at each instruction", () => {
    const text = "FROM busybox\nENV a=1\nLABEL l=1\nUSER u\nENV a=2\nLABEL l=2\n";
    const { history } = expandFile(text, { classic: true }).target;
    expect(history.map(({ config }) => [config.Env?.at(-1), config.Labels?.["l"]])).toEqual([
      ["a=1", undefined],
      ["a=1", "1"],
      ["a=1", "1"],
      ["a=2", "1"],
      ["a=2", "2"],
    ]);
  });
});
