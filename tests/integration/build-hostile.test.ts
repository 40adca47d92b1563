/** Dockerfiles, contexts and base images that try to harm: each test shows that one attempt fails, in place and through buildx. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { footprint } from "../harness/api.ts";
import { contextFolder } from "../harness/context-folder.ts";
import { type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { tarOf } from "../support/archives.ts";

setDefaultTimeout(120_000);

const plugins = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = plugins.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));
if (!hasBuildx) console.log("SKIPPED builds through buildx: docker's plugin is not on this machine");

let engine: TestEngine;
const context = contextFolder("build-hostile");

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
});
afterAll(async () => {
  await engine?.destroy();
});

type Build = (...args: string[]) => Promise<Outcome>;
const doors: [string, Build][] = [
  ["in place", (...args) => engine.berth("build", "--progress=plain", ...args, context.path)],
];
if (hasBuildx)
  doors.push(["buildx", (...args) => engine.docker("build", "--progress=plain", ...args, context.path)]);

const files = (contents: Record<string, string>): Promise<void> => context.files(contents);

const script = async (text: string): Promise<void> => {
  const { code, stderr } = await run(["bash", "-ec", text, context.path]);
  if (code !== 0) throw new Error(stderr);
};
const inImage = (image: string, text: string): Promise<string> =>
  engine.ok("run", "--rm", "--network", "none", image, "sh", "-c", text);

describe.each(doors)("%s", (door, build) => {
  const good = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await build(...args);
    if (code !== 0) throw new Error(stderr);
    return stderr + stdout;
  };
  const bad = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await build(...args);
    expect(code).not.toBe(0);
    return stderr;
  };
  const tag = `hostile-${door === "buildx" ? "x" : "p"}`;

  test("COPY ../.. and links do not lead out of the context", async () => {
    await files({ Dockerfile: "FROM busybox\nCOPY ../../../../etc/hostname /stolen\n", d: "x" });
    expect(await bad()).toContain("not found");
    await symlink("/etc", join(context.path, "link"));
    await symlink(`../../../../../../..${context.path}/../..`, join(context.path, "up"));
    for (const path of ["link/hostname", "up/etc/hostname"]) {
      await files({ Dockerfile: `FROM busybox\nCOPY ${path} /stolen\n` });
      expect(await bad()).toContain("not found");
    }
    await files({
      Dockerfile: "FROM busybox\nCOPY . /c/\nRUN --mount=type=bind,target=/m ls -l /m >/seen\n",
    });
    await good("-t", tag);
    expect(await inImage(tag, "readlink /c/link; grep -c root /c/link/passwd /seen | head -1")).toContain(
      "/etc\n",
    );
    await files({
      Dockerfile: "FROM busybox\nRUN --mount=type=bind,source=link,target=/m cat /m/hostname\n",
    });
    expect(await bad()).toContain("not found");
  });

  test("fifos, sockets and devices of a context are not read", async () => {
    await script('mkdir "$0/d"; mkfifo "$0/d/fifo"; mknod "$0/d/zero" c 1 5; mknod "$0/d/disk" b 7 200');
    const server = createServer();
    await new Promise<void>((listening) => server.listen(join(context.path, "d/socket"), listening));
    try {
      await files({ Dockerfile: "FROM busybox\nCOPY d /d\nADD d/fifo /added\n" });
      await good("-t", tag);
      expect(await inImage(tag, "test -S /d/socket || test -s /d/socket || echo no socket")).toBe(
        "no socket",
      );
      await script('rm "$0/d/zero" "$0/d/disk"');
      await files({ Dockerfile: "FROM busybox\nCOPY d /d\n", "d/file": "x" });
      await good("-t", tag);
      expect(await inImage(tag, "cat /d/file; test -p /d/fifo && echo fifo")).toBe("xfifo");
    } finally {
      server.close();
    }
  });

  test("a line of ten megabytes is refused with a sentence", async () => {
    for (const text of [
      `FROM busybox\nRUN : ${"x".repeat(10 << 20)}\n`,
      `FROM busybox\nENV A=${"\\\n".repeat(5 << 20)}x\n`,
      `FROM busybox\nCOPY <<E /f\n${"y".repeat(10 << 20)}\nE\n`,
    ]) {
      await files({ Dockerfile: text });
      const said = await bad();
      expect(said.length).toBeLessThan(100_000);
    }
    await files({
      Dockerfile: "FROM busybox\nCOPY . /c\n",
      ".dockerignore": `${"a/".repeat(5 << 20)}\n`,
    });
    expect((await build()).stderr.length).toBeLessThan(100_000);
    expect((await footprint(engine)).residentMb).toBeLessThan(400);
  });

  test("secrets reach no layer, log, history, cache key or file of the engine", async () => {
    const value = `hidden-${door === "buildx" ? "x" : "p"}-${process.pid}-${Date.now()}`;
    await writeFile(join(context.path, "token"), value);
    const mounts = "--mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN";
    const use = (end: string): Record<string, string> => ({
      Dockerfile: `FROM busybox\nRUN ${mounts} test "$(cat /run/secrets/token)" = "$TOKEN" && env | grep -q "$TOKEN"${end}\nRUN ls -la /run >/run-is; env >/env-is\n`,
      ".dockerignore": "token*\n",
    });
    const given = ["--secret", `id=token,src=${context.path}/token`];
    await files(use(""));
    expect(await good(...given, "-t", tag)).not.toContain(value);
    expect(await inImage(tag, "cat /run-is /env-is")).not.toContain("TOKEN");
    await writeFile(join(context.path, "token"), `${value}-2`);
    expect(await good(...given)).toMatch(/#\d+ CACHED/);
    await files(use("; exit 3"));
    expect(await bad(...given)).not.toContain(value);
    expect(await engine.ok("history", "--no-trunc", tag)).not.toContain(value);
    expect(await engine.ok("build", "history", "inspect", "--format", "json")).not.toContain(value);
    const found = await run(["grep", "-rlaF", value, engine.home]);
    expect(found.stdout).toBe("");
  });

  // what follows does not depend on the door
  if (door === "buildx") return;

  test("triggers do not make triggers, name no base, and do not go round in circles", async () => {
    await files({ Dockerfile: "FROM busybox\nONBUILD ONBUILD RUN true\n" });
    expect(await bad()).toContain("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    await files({ Dockerfile: "FROM busybox\nONBUILD FROM busybox\n" });
    expect(await bad()).toContain("FROM isn't allowed as an ONBUILD trigger");
    const hostile: Record<string, string[]> = {
      chained: ["ONBUILD RUN true"],
      based: ["FROM busybox"],
      circle: ["COPY --from=circle:latest /f /g"],
      twice: ["RUN --mount=type=bind,from=twice:latest,target=/m cat /m/f"],
      long: [`RUN : ${"x".repeat(6 << 20)}`],
      torn: ["COPY <<E /f"],
    };
    for (const [name, triggers] of Object.entries(hostile)) {
      await load(name, triggers);
      await files({ Dockerfile: `FROM ${name}\nRUN true\n` });
      const { stderr } = await build();
      expect(stderr.length).toBeLessThan(200_000);
      expect(await engine.ok("version", "-f", "{{.Server.Os}}")).toBe("linux");
    }
    await files({ Dockerfile: "FROM based\n" });
    expect(await bad()).toContain("FROM");
  });

  test("a cache mount that another build poisoned gives nothing but what was put into it", async () => {
    const mount = "--mount=type=cache,target=/c,id=poison";
    await files({
      Dockerfile: `FROM busybox\nRUN ${mount} ln -sfn /etc /c/etc; ln -sfn /proc/1/root /c/root; mkdir -p /c/d; chmod 7777 /c/d; rm -f /c/null; mknod /c/null c 1 3; cp /bin/busybox /c/su; chmod 4755 /c/su\n`,
    });
    await good("--no-cache");
    await files({
      Dockerfile: `FROM busybox
RUN ${mount} echo mine >/c/etc/poison-${tag}; cat /c/root/etc/hostname >/hostname 2>&1; ls -l /c/null
RUN --mount=type=bind,from=busybox,target=/b ! touch /b/x
COPY --from=0 /etc/hostname /again
`.replace("\nCOPY --from=0 /etc/hostname /again", ""),
    });
    await good("-t", tag); // --no-cache would begin the mount anew
    expect(existsSync(`/etc/poison-${tag}`)).toBe(false);
    expect(await inImage(tag, "cat /hostname")).not.toBe((await readFile("/etc/hostname", "utf8")).trim());
    expect(await inImage(tag, `cat /etc/poison-${tag}; find / -xdev -perm -4000 -type f`)).toBe("mine");
    // an id is a name, not a path
    await files({
      Dockerfile:
        "FROM busybox\nRUN --mount=type=cache,target=/c,id=../../../../etc,sharing=private echo >/c/berth-was-here\n",
    });
    await good();
    expect(existsSync("/etc/berth-was-here")).toBe(false);
    await files({
      Dockerfile: "FROM busybox\nRUN --mount=type=cache,target=/c,from=busybox,source=../../../etc ls /c\n",
    });
    await build();
  });

  test("an engine killed while a step holds a secret leaves none of it", async () => {
    const value = `hidden-k-${door === "buildx" ? "x" : "p"}-${process.pid}`;
    await writeFile(join(context.path, "token"), value);
    await files({
      Dockerfile:
        "FROM busybox\nRUN --mount=type=secret,id=token grep -q hidden /run/secrets/token && echo holding && sleep 4323\n",
      ".dockerignore": "token\n",
    });
    const doomed = build("--secret", `id=token,src=${context.path}/token`);
    const holding = async (): Promise<boolean> => (await run(["pgrep", "-fx", "sleep 4323"])).code === 0;
    while (!(await holding())) await Bun.sleep(50);
    await engine.stop("SIGKILL");
    await doomed;
    await engine.start();
    while (await holding()) await Bun.sleep(50);
    const found = await run(["grep", "-rlaF", value, engine.home]);
    expect(found.stdout).toBe("");
  });

  test("a pipe or a device is not opened to bind it for writing; a file is, and keeps its content", async () => {
    const from = "FROM busybox AS a\nRUN mkfifo /pipe && mknod /null c 1 3 && echo kept >/f\nFROM busybox\n";
    const mount = "RUN --mount=type=bind,from=a,rw,target=/m,source=";
    for (const [source, kind] of [
      ["/pipe", "fifo"],
      ["/null", "character special file"],
    ]) {
      // the step has one of its own: what it changes is not the other stage's
      const changed = `RUN --mount=type=bind,from=a,target=/n ! test "$(stat -c %a /n${source})" = 6\n`;
      const own = `test "$(stat -c %F /m)" = "${kind}" && chmod 006 /m\n`;
      await files({ Dockerfile: `${from}${mount}${source} ${own}${changed}` });
      expect((await build()).code).toBe(0);
    }
    await files({
      Dockerfile: `${from}${mount}/f echo more >>/m && cat /m >/seen\n${mount}/f cat /seen /m >/told\nRUN grep -c . /told\n`,
    });
    const built = await build();
    expect({ code: built.code, lines: /^#\d+ [\d.]+ 3$/m.test(built.stderr) }).toEqual({
      code: 0,
      lines: true,
    });
  });

  test("what a Dockerfile names beside its context is refused", async () => {
    await files({ d: "x" });
    for (const dockerfile of [
      "FROM busybox\nRUN --mount=type=bind,source=/../../../etc,target=/m ls /m/shadow\n",
      "FROM busybox\nRUN --mount=type=bind,from=nothing-there,target=/m true\n",
      "FROM busybox\nRUN --mount=type=ssh,id=none,required=true true\n",
      "FROM busybox\nRUN --mount=type=secret,id=none,required=true true\n",
      "FROM busybox\nRUN --mount=type=bind,target=/proc/sys,rw true\n",
      "FROM busybox\nWORKDIR /proc/self/cwd/../../../../x\nRUN --mount=type=tmpfs,target=/proc true\n",
    ]) {
      await files({ Dockerfile: dockerfile });
      await bad();
    }
  });

  test("a Dockerfile does not fetch with the keys of the engine's user", async () => {
    for (const remote of ["git@127.0.0.1:a/b.git", "ssh://git@127.0.0.1/a/b.git"]) {
      await files({ Dockerfile: `FROM scratch\nADD ${remote} /\n` });
      expect(await bad()).toContain("unset ssh forward key default");
    }
  });
});

/** An image with triggers that no Dockerfile could give it. */
async function load(name: string, triggers: string[]): Promise<void> {
  const layer = tarOf([{ type: "file", name: "f", mode: 0o644, content: "f" }]);
  const digest = new Bun.CryptoHasher("sha256").update(layer).digest("hex");
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { OnBuild: triggers },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  });
  const manifest = JSON.stringify([
    { Config: "config.json", RepoTags: [`${name}:latest`], Layers: ["layer.tar"] },
  ]);
  const file = join(context.path, "hostile.tar");
  await writeFile(
    file,
    tarOf([
      { type: "file", name: "layer.tar", mode: 0o644, size: layer.length, content: layer.toString("latin1") },
      { type: "file", name: "config.json", mode: 0o644, content: config },
      { type: "file", name: "manifest.json", mode: 0o644, content: manifest },
    ]),
  );
  await engine.ok("load", "-q", "-i", file);
  await rm(file);
}
