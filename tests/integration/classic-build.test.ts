/** `POST /build` as Docker's classic builder does it: one instruction after the other, each an image. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { build, type Files } from "../harness/classic-build.ts";
import { startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(120_000);
let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 300_000);
afterAll(() => engine.destroy());

const lines = (...all: string[]): string => `${all.join("\n")}\n`;
const built = async (files: Files, query: Record<string, string> = {}): Promise<string> => {
  const { id, error } = await build(engine, files, query);
  expect(error).toBe("");
  return id;
};
const inspect = (id: string, format: string): Promise<string> =>
  engine.ok("image", "inspect", "-f", format, id);
const inImage = (id: string, command: string): Promise<string> =>
  engine.ok("run", "--rm", "--network", "none", id, "sh", "-c", command);
const shown = (text: string): string => text.replace(/\b[0-9a-f]{12}\b/g, "ID");

test("each instruction is told, runs and comes to an image; again, all comes from the cache", async () => {
  const files = {
    Dockerfile: lines("FROM busybox", "ENV A=1", "RUN echo out; echo err >&2", "COPY f /f"),
    f: "x",
  };
  const first = await build(engine, files, { t: "told:1" });
  const step = (number: number, text: string) => `Step ${number}/4 : ${text}\n`;
  const ran = " ---> Running in ID\n";
  const removed = " ---> Removed intermediate container ID\n ---> ID\n";
  expect(shown(first.text).replace(/out\n|\u001b\[91merr\n\u001b\[0m/g, "")).toBe(
    `${step(1, "FROM busybox")} ---> ID\n${step(2, "ENV A=1")}${ran}${removed}` +
      `${step(3, "RUN echo out; echo err >&2")}${ran}${removed}${step(4, "COPY f /f")} ---> ID\n` +
      "Successfully built ID\nSuccessfully tagged told:1\n",
  );
  expect(first.text).toContain("out\n");
  expect(first.text).toContain("\u001b[91merr\n\u001b[0m");
  const again = await build(engine, files, { rm: "1", t: "told:1" });
  expect(again.id).toBe(first.id);
  expect(again.text.match(/ ---> Using cache/g)).toHaveLength(3);
  expect(await inspect("told:1", "{{.Parent}}")).toStartWith("sha256:");
  await engine.ok("rmi", "told:1");
  expect(await engine.ok("images", "-aq", "--filter", "dangling=true")).toBe("");
});

test("an image that a step came to can be run before the build is over, also where it failed", async () => {
  const { text, error } = await build(engine, {
    Dockerfile: lines("FROM busybox", "RUN echo kept >/f", "RUN exit 3"),
  });
  expect(error).toBe("The command '/bin/sh -c exit 3' returned a non-zero code: 3");
  const id = [...text.matchAll(/ ---> ([0-9a-f]{12})\n/g)].at(-1)?.[1] ?? "";
  expect(await inImage(id, "cat /f")).toBe("kept");
});

test("ENV wins over ARG, and an ARG counts in its stage alone", async () => {
  const id = await built(
    {
      Dockerfile: lines(
        "FROM busybox AS a",
        "ARG X=1",
        "ENV B=env",
        "ARG B=arg",
        'RUN echo "$X $B" >/f',
        "FROM a",
        `RUN echo "\${X-none} $B" >>/f`,
      ),
    },
    { buildargs: JSON.stringify({ X: "2", B: "given" }) },
  );
  expect(await inImage(id, "cat /f")).toBe("2 env\nnone env");
});

test("what a step writes below a volume is lost, and what a copy puts there stays", async () => {
  const id = await built({
    Dockerfile: lines(
      "FROM busybox",
      "RUN mkdir /v && echo before >/v/a",
      "VOLUME /v /new",
      "RUN echo after >/v/b; echo gone >/new/c; cat /v/a",
      "COPY f /v/f",
    ),
    f: "copied",
  });
  expect(await inImage(id, "cat /v/*; ls /new")).toBe("before\ncopied");
});

test("stages up to the target run, needed or not", async () => {
  const files = {
    Dockerfile: lines("FROM busybox AS broken", "RUN exit 9", "FROM busybox AS good", "RUN true"),
  };
  expect((await build(engine, files)).error).toContain("returned a non-zero code: 9");
  const first = { Dockerfile: lines("FROM busybox AS good", "RUN true", "FROM busybox", "RUN exit 9") };
  await built(first, { target: "good" });
});

test("the history tells steps in the classic builder's words, empty layers left out", async () => {
  const id = await built(
    {
      Dockerfile: lines(
        "FROM busybox",
        "ARG V",
        "RUN true",
        "COPY f d/ /to/",
        "WORKDIR /to",
        "EXPOSE 80",
        'CMD ["x"]',
      ),
      f: "1",
      "d/g": "2",
    },
    { buildargs: '{"V":"7"}', labels: '{"k":"v"}' },
  );
  const told = await engine.ok("history", "--no-trunc", "--format", "{{.CreatedBy}}", id);
  expect(
    told
      .replace(/[0-9a-f]{64}/, "HASH")
      .split("\n")
      .slice(0, 7),
  ).toEqual([
    "/bin/sh -c #(nop)  LABEL k=v",
    '/bin/sh -c #(nop)  CMD ["x"]',
    "/bin/sh -c #(nop)  EXPOSE 80",
    "/bin/sh -c #(nop) WORKDIR /to",
    "/bin/sh -c #(nop) COPY multi:HASH in /to/ ",
    "|1 V=7 /bin/sh -c true",
    "/bin/sh -c #(nop)  ARG V",
  ]);
  expect(await inspect(id, "{{len .RootFS.Layers}}")).toBe("2");
});

test("what is wrong with the file is a status; what is wrong with a step is told in its place", async () => {
  const wrong = await build(engine, { Dockerfile: lines("FROM busybox", "RUNN x") });
  expect([wrong.status, wrong.error]).toEqual([
    400,
    "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
  ]);
  const target = await build(engine, { Dockerfile: lines("FROM busybox AS a") }, { target: "b" });
  expect([target.status, target.error]).toEqual([400, 'target stage "b" could not be found']);
  const missing = await build(engine, { Dockerfile: lines("FROM busybox", "COPY nope /") });
  expect(missing.status).toBe(200);
  expect(missing.text).toEndWith("Step 2/2 : COPY nope /\n");
  expect(missing.error).toBe(
    "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist",
  );
  const expansion = await build(engine, {
    Dockerfile: lines("FROM busybox", "RUN true", `ENV A=\${X:?must}`),
  });
  expect(expansion.text).toContain(`Step 3/3 : ENV A=\${X:?must}\n`);
  expect(expansion.error).toContain("X: must");
});

test("a quiet build says its id alone, or all of it once it failed", async () => {
  const good = await build(engine, { Dockerfile: lines("FROM busybox", "RUN true") }, { q: "1" });
  expect(good.text).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  const bad = await build(engine, { Dockerfile: lines("FROM busybox", "RUN exit 4") }, { q: "1" });
  expect(bad.text).toStartWith("Step 1/2 : FROM busybox\n");
  expect(bad.error).toContain("returned a non-zero code: 4");
});

test("FROM takes an image's id, and a build of nothing but that gives it its name", async () => {
  const id = await inspect("busybox", "{{.Id}}");
  for (const name of [id, id.slice(7), id.slice(7, 19)])
    expect(await built({ Dockerfile: lines(`FROM ${name}`) }, { t: "named:1" })).toBe(id);
  expect(await inspect("named:1", "{{.Id}}")).toBe(id);
  await engine.ok("rmi", "named:1");
});

test("triggers run with their FROM, and arguments that nothing took are told", async () => {
  await built(
    { Dockerfile: lines("FROM busybox", "ONBUILD RUN echo trig >/t", "ONBUILD ENV Q=1") },
    { t: "onb" },
  );
  const { text, id } = await build(
    engine,
    { Dockerfile: lines("FROM onb", "RUN true") },
    { buildargs: '{"NOPE":"1"}' },
  );
  expect(text).toContain("Step 1/2 : FROM onb\n# Executing 2 build triggers\n");
  expect(text).toContain("[Warning] One or more build-args [NOPE] were not consumed\n");
  expect(await inImage(id, "cat /t; echo $Q")).toBe("trig\n1");
});
