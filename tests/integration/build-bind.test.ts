/** `RUN --mount=type=bind` of a context shows all of it, as root's with the mode 0755, wherever it lies and whatever its mode. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(60_000);

let engine: TestEngine;
let folder = "";
const mounted: string[] = [];

async function mount(target: string, ...args: string[]): Promise<void> {
  await mkdir(target, { recursive: true });
  const { code, stderr } = await run(["mount", ...args, target]);
  if (code !== 0) throw new Error(stderr);
  mounted.unshift(target);
}

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-build-bind-"));
  // on memory: not every file system of a machine can lie below an overlay
  await mount(folder, "-t", "tmpfs", "-o", "mode=0755", "tmpfs");
});
afterAll(async () => {
  await engine?.destroy();
  for (const target of mounted) await run(["umount", target]);
  if (folder) await rm(folder, { recursive: true, force: true });
});

const build = (context: string): Promise<Outcome> =>
  engine.berth("build", "-q", "--no-cache", "-t", "bound", context);
const seen = (): Promise<string> => engine.ok("run", "--rm", "--network", "none", "bound", "cat", "/seen");

test.each(["755", "700", "775"])("what is mounted below a context of the mode %s is there", async (mode) => {
  const context = join(folder, `below-${mode}`);
  await mount(join(context, "inner"), "-t", "tmpfs", "tmpfs");
  await writeFile(join(context, "inner/hello"), "hello\n");
  await chmod(context, Number.parseInt(mode, 8));
  for (const options of ["", ",rw"]) {
    const look = "stat -c '%a %u:%g' /c >/seen && cat /c/inner/hello >>/seen";
    const write = options === "" ? "" : " && touch /c/new /c/inner/new";
    const text = `FROM busybox\nRUN --mount=type=bind,target=/c${options} ${look}${write}\n`;
    await writeFile(join(context, "Dockerfile"), text);
    expect([options, (await build(context)).stderr]).toEqual([options, ""]);
    expect([options, await seen()]).toEqual([options, "755 0:0\nhello"]);
  }
  expect((await readdir(join(context, "inner"))).sort()).toEqual(["hello"]);
  expect((await readdir(context)).sort()).toEqual(["Dockerfile", "inner"]);
});

/** Overlays one upon another: the kernel allows two. */
async function overlays(name: string, depth: number): Promise<string> {
  let lower = join(folder, `${name}-0`);
  await mkdir(lower);
  for (let level = 1; level <= depth; level++) {
    const [upper, work] = [join(folder, `${name}-upper-${level}`), join(folder, `${name}-work-${level}`)];
    for (const path of [upper, work]) await mkdir(path);
    const target = join(folder, `${name}-${level}`);
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await mount(target, "-t", "overlay", "-o", options, "overlay");
    lower = target;
  }
  return lower;
}

test.each([1, 2])(
  "a context on %d overlays can be bound, for writing too, whatever its mode",
  async (depth) => {
    const context = await overlays(`depth-${depth}`, depth);
    for (const mode of [0o755, 0o700, 0o775])
      for (const options of ["", ",rw"]) {
        const at = [mode.toString(8), options];
        const look = "stat -c '%a %u:%g' /c >/seen && ls /c >>/seen";
        const write = options === "" ? "" : " && touch /c/x";
        const text = `FROM busybox\nRUN --mount=type=bind,target=/c${options} ${look}${write}\n`;
        await writeFile(join(context, "Dockerfile"), text);
        await chmod(context, mode);
        expect([...at, (await build(context)).stderr]).toEqual([...at, ""]);
        expect([...at, await seen()]).toEqual([...at, "755 0:0\nDockerfile"]);
      }
    expect(await readdir(context)).toEqual(["Dockerfile"]);
  },
);
