import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { build, type Files } from "../harness/classic-build.ts";
import { mountsBelow, processesWith, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue } from "../harness/until.ts";

/** Builds through the engine's classic front door: what they make, what they keep, what they leave. */
setDefaultTimeout(120_000);

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
});

afterAll(async () => {
  await engine.destroy();
});

const dockerfile = (...lines: string[]): string => `${lines.join("\n")}\n`;

async function built(files: Files, query: Record<string, string> = {}): Promise<string> {
  const { id, error, text } = await build(engine, files, query);
  if (id === "") throw new Error(`the build failed: ${error}\n${text}`);
  return id;
}

const inImage = (id: string, script: string): Promise<string> =>
  engine.ok("run", "--rm", id, "sh", "-c", script);

test("a Dockerfile becomes an image that runs, with the texts that clients read", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox",
      "ENV A=1",
      "WORKDIR /w",
      "COPY f sub/",
      'RUN echo "$A $(cat sub/f)" >out; echo said',
      'CMD ["cat", "out"]',
    ),
    f: "content",
  };
  const { text, id } = await build(engine, files, { t: "first:v1" });
  expect(text).toContain("Step 1/6 : FROM busybox\n");
  expect(text).toContain("Step 5/6 : RUN echo");
  expect(text).toContain("said\n");
  expect(text).toContain(`Successfully built ${id.slice(7, 19)}\n`);
  expect(text).toContain("Successfully tagged first:v1\n");
  expect(await engine.ok("run", "--rm", "first:v1")).toBe("1 content");
});

test("a build that is all from the cache gives the same image, and a changed file only what follows from it", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox",
      "RUN head -c 16 /dev/urandom | md5sum >/a",
      "COPY f /f",
      "RUN cp /f /g",
    ),
    f: "one",
  };
  const one = await built(files);
  expect(await built(files)).toBe(one);
  const two = await built({ ...files, f: "two" });
  expect(two).not.toBe(one);
  expect(await inImage(two, "cat /a /g")).toBe(`${await inImage(one, "cat /a")}\ntwo`);
  const again = await build(engine, files, { nocache: "1" });
  expect(await inImage(again.id, "cat /a")).not.toBe(await inImage(one, "cat /a"));
});

test("an edited instruction has all below it run again, also where it leaves the same files", async () => {
  const bumped = (lines: string[]) => ({
    Dockerfile: dockerfile("FROM busybox", ...lines, "RUN head -c 16 /dev/urandom | md5sum >/a"),
    f: "content",
    g: "content",
  });
  const made = async (...lines: string[]) => inImage(await built(bumped(lines)), "cat /a");
  const first = await made("COPY f /f", "RUN echo 1");
  expect(await made("COPY f /f", "RUN echo 1")).toBe(first);
  expect(await made("COPY f /f", "RUN echo 2")).not.toBe(first);
  expect(await made("COPY g /f", "RUN echo 1")).not.toBe(first);
});

test("a stage that nobody needs is not run", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox AS unused",
      "RUN false",
      "FROM busybox AS made",
      "RUN echo x >/x",
      "FROM scratch",
      "COPY --from=made /x /y",
    ),
  };
  const { text, id } = await build(engine, files, { buildkit: "1" });
  expect(id).toStartWith("sha256:");
  expect(text).not.toContain("returned a non-zero code");
});

test("steps that write nothing, one after the other, stack", async () => {
  const id = await built({
    Dockerfile: dockerfile("FROM busybox", "RUN true", "RUN : again", "RUN echo x >/x"),
  });
  expect(await inImage(id, "cat /x")).toBe("x");
});

test("a failed step tells its code and leaves nothing", async () => {
  const { error, id } = await build(engine, { Dockerfile: dockerfile("FROM busybox", "RUN exit 42") });
  expect([id, error]).toEqual(["", "The command '/bin/sh -c exit 42' returned a non-zero code: 42"]);
  expect(await remains()).toEqual([]);
});

test("the same inputs and SOURCE_DATE_EPOCH give the same image however often they are run", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox",
      "WORKDIR /made",
      "COPY f /deep/er/f",
      "RUN mkdir /d && echo x >/d/x",
    ),
    f: "1",
  };
  const query = { nocache: "1", buildargs: JSON.stringify({ SOURCE_DATE_EPOCH: "1000000000" }) };
  const one = await built(files, query);
  expect(await built(files, query)).toBe(one);
});

test("a cache mount lasts, is not in the image, and secrets never are", async () => {
  const files = (n: number): Files => ({
    Dockerfile: dockerfile(
      "FROM busybox",
      `RUN --mount=type=cache,target=/c echo ${n} >>/c/log; cat /c/log >/seen`,
      "RUN ls /c /run/secrets >/ls 2>&1 || true",
    ),
  });
  await built(files(1));
  const id = await built(files(2));
  expect(await inImage(id, "cat /seen")).toBe("1\n2");
  expect(await inImage(id, "cat /ls")).not.toContain("log");
});

test("a context cannot reach out of itself, and its devices are not read", async () => {
  const outside = await build(engine, {
    Dockerfile: dockerfile("FROM busybox", "COPY link/hostname /stolen"),
    link: { link: "/etc" },
  });
  expect(outside.id).toBe("");
  const above = await build(engine, {
    Dockerfile: dockerfile("FROM busybox", "COPY ../../../etc/passwd /p"),
  });
  expect(above.error).toContain("forbidden path outside the build context");
  const beyond = await build(
    engine,
    { Dockerfile: dockerfile("FROM busybox", "COPY ../../../etc/passwd /p") },
    { buildkit: "1" },
  );
  expect(beyond.error).toContain("not found");
  const links = await built({
    Dockerfile: dockerfile("FROM busybox", "COPY d /d", "COPY d /etc/"),
    "d/passwd2": { link: "/etc/shadow" },
    "d/zero": { device: [1, 5] },
  });
  expect(await inImage(links, "readlink /d/passwd2")).toBe("/etc/shadow");
});

test("a link in the image does not lead COPY out of its root", async () => {
  const id = await built({
    Dockerfile: dockerfile("FROM busybox", "RUN ln -s /tmp/../../../../../place /out", "COPY f /out/f"),
    f: "x",
  });
  expect(await inImage(id, "cat /place/f")).toBe("x");
});

test("two builds that need the same step run it once", async () => {
  const Dockerfile = dockerfile("FROM busybox", "RUN sleep 1; head -c 16 /dev/urandom | md5sum >/x");
  const ids = await Promise.all([built({ Dockerfile }), built({ Dockerfile }), built({ Dockerfile })]);
  expect(new Set(ids).size).toBe(1);
});

test("a client that goes away ends its build and frees all of it", async () => {
  const abort = new AbortController();
  const files = { Dockerfile: dockerfile("FROM busybox", "RUN echo begun; sleep 4321") };
  const gone = build(engine, files, {}, abort.signal).catch(() => "gone");
  await until(async () => (await stepsRunning()).length > 0);
  abort.abort();
  expect(await gone).toBe("gone");
  await until(async () => (await remains()).length === 0);
});

test("an engine killed in the middle of a step leaves a usable cache and no debris", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox",
      "RUN head -c 16 /dev/urandom | md5sum >/kept",
      "RUN test -e /go || sleep 4321",
    ),
  };
  const doomed = build(engine, files).catch(() => "lost");
  await until(async () => (await stepsRunning()).length > 0 && (await cached("md5sum >/kept")) > 0);
  await engine.stop("SIGKILL");
  expect(await doomed).toBe("lost");
  await engine.start();
  await until(async () => (await remains()).length === 0);
  const again = await build(engine, {
    Dockerfile: dockerfile(
      "FROM busybox",
      "RUN head -c 16 /dev/urandom | md5sum >/kept",
      "RUN cat /kept >/copy",
    ),
  });
  expect(again.text).toContain("Using cache");
  expect(await inImage(again.id, "cmp /kept /copy && echo same")).toBe("same");
});

test("a Dockerfile cannot allow itself the host's network or all privileges", async () => {
  for (const [flag, entitlement] of [
    ["--network=host", "network.host"],
    ["--security=insecure", "security.insecure"],
  ]) {
    const { id, error } = await build(engine, { Dockerfile: dockerfile("FROM busybox", `RUN ${flag} true`) });
    expect([id, error]).toEqual(["", `${entitlement} is not allowed`]);
  }
});

test("a step's network is the one that was asked for", async () => {
  const links = async (flag: string, query: Record<string, string> = {}): Promise<string> => {
    const run = `RUN ${flag} ls /sys/class/net >/links`;
    return await inImage(await built({ Dockerfile: dockerfile("FROM busybox", run) }, query), "cat /links");
  };
  expect(await links("")).toBe("eth0\nlo");
  expect(await links("--network=none")).toBe("lo");
  expect(await links("", { networkmode: "none" })).toBe("lo");
  expect(await links("", { networkmode: "host" })).not.toContain("eth0");
});

test("--squash leaves one layer above the base, with what the last one shows", async () => {
  const files = {
    Dockerfile: dockerfile(
      "FROM busybox",
      "RUN echo 1 >/a; echo 2 >/gone",
      "RUN rm /gone /bin/ar; echo 3 >>/a",
    ),
  };
  const id = await built(files, { squash: "1" });
  expect(await engine.ok("image", "inspect", "-f", "{{len .RootFS.Layers}}", id)).toBe("2");
  expect(await inImage(id, "cat /a; ls /gone /bin/ar 2>&1 | wc -l")).toBe("1\n3\n2");
});

test("a line of ten megabytes is refused, and the engine goes on", async () => {
  const { id, error } = await build(engine, { Dockerfile: `FROM busybox\nRUN : ${"x".repeat(10 << 20)}\n` });
  expect(id).toBe("");
  expect(error).toContain("larger than");
  expect(await built({ Dockerfile: dockerfile("FROM busybox", "RUN echo alive >/a") })).toStartWith(
    "sha256:",
  );
});

test("without the cache, cache mounts begin anew, once a build; two of one id in a step are one folder", async () => {
  const mount = "--mount=type=cache,id=anew,target";
  const files = (n: number): Files => ({
    Dockerfile: dockerfile(
      "FROM busybox",
      `RUN ${mount}=/c touch /c/${n}`,
      `RUN ${mount}=/c ${mount}=/d,sharing=locked touch /c/also; echo $(ls /d) >/seen`,
    ),
  });
  expect(await inImage(await built(files(1)), "cat /seen")).toBe("1 also");
  expect(await inImage(await built(files(2)), "cat /seen")).toBe("1 2 also");
  expect(await inImage(await built(files(3), { nocache: "1" }), "cat /seen")).toBe("3 also");
  expect(await inImage(await built(files(4)), "cat /seen")).toBe("3 4 also");
});

test("what one build left in a cache mount cannot lead another out of it", async () => {
  const mount = "--mount=type=cache,target=/c,id=poisoned";
  await built({
    Dockerfile: dockerfile("FROM busybox", `RUN ${mount} ln -s /etc /c/link; mknod /c/zero c 1 5`),
  });
  const id = await built({
    Dockerfile: dockerfile("FROM busybox", `RUN ${mount} echo mine >/c/link/poison; cat /etc/poison >/seen`),
  });
  expect(await inImage(id, "cat /seen")).toBe("mine");
  expect(await Bun.file("/etc/poison").exists()).toBe(false);
});

test("what the cache holds is told, and goes when it is pruned", async () => {
  await built({ Dockerfile: dockerfile("FROM busybox", "RUN echo to be pruned >/p") });
  expect(await cached("to be pruned")).toBe(1);
  const response = await engine.api("/build/prune?all=1", { method: "POST" });
  expect(response.status).toBe(200);
  expect(await cached("to be pruned")).toBe(0);
});

async function cached(text: string): Promise<number> {
  const response = await engine.api("/system/df?type=build-cache");
  const { BuildCache } = (await response.json()) as { BuildCache: { Description: string }[] };
  return BuildCache.filter(({ Description }) => Description.includes(text)).length;
}

/** `cmdline` has NUL between the words. */
const stepsRunning = (): Promise<number[]> => processesWith("sleep\u00004321");

/** Steps' processes, mounts, snapshots and folders that are still there. */
async function remains(): Promise<string[]> {
  const names = async (folder: string): Promise<string[]> =>
    await readdir(join(engine.home, folder)).catch(() => []); // never made: nothing is there
  return [
    ...(await mountsBelow(engine.home)).filter((target) => target.includes("/build")),
    ...(await names("data/snapshots")),
    ...(await names("data/build/scratch")),
    ...(await names("exec/build")),
    ...(await names("exec/crun")).filter((name) => name.length === 64),
  ];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  if (await comesTrue(holds)) return;
  throw new Error(`it did not come: ${JSON.stringify(await remains())}`);
}
