import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSources } from "./sources.ts";

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "berth-sources-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function context(name: string): Promise<string> {
  const folder = join(home, name);
  await mkdir(folder);
  return folder;
}

const pipe = (path: string): void => {
  if (Bun.spawnSync(["mkfifo", path]).exitCode !== 0) throw new Error(`mkfifo ${path} failed`);
};

const failed = "ERROR: failed to build: failed to solve: failed to read";

test("a Dockerfile that is a pipe, a device or a folder is refused, not waited for", async () => {
  const piped = await context("piped");
  pipe(join(piped, "Dockerfile"));
  await expect(readSources(piped, "")).rejects.toThrow(
    `${failed} dockerfile: Dockerfile is not a regular file`,
  );
  await expect(readSources(piped, join(piped, "Dockerfile"))).rejects.toThrow(
    "Dockerfile is not a regular file",
  );
  await expect(readSources(piped, "/dev/zero")).rejects.toThrow(
    `${failed} dockerfile: zero is not a regular file`,
  );
  const zeros = await context("zeros");
  await symlink("/dev/zero", join(zeros, "Dockerfile"));
  await expect(readSources(zeros, "")).rejects.toThrow("Dockerfile is not a regular file");
  await expect(readSources(home, home)).rejects.toThrow("is a directory");
});

test("an ignore file that is a pipe or a device is refused, and a folder is none", async () => {
  const folder = await context("ignoring");
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\n");
  const ignore = join(folder, ".dockerignore");
  pipe(ignore);
  await expect(readSources(folder, "")).rejects.toThrow(
    `${failed} .dockerignore: .dockerignore is not a regular file`,
  );
  await rm(ignore);
  await symlink("/dev/zero", ignore);
  await expect(readSources(folder, "")).rejects.toThrow("is not a regular file");
  await rm(ignore);
  await mkdir(ignore);
  expect(await readSources(folder, "")).toMatchObject({ ignoreFile: undefined });
  await mkdir(join(folder, "Dockerfile.dockerignore"));
  await rm(ignore, { recursive: true });
  await writeFile(ignore, "x\n");
  expect(await readSources(folder, "")).toMatchObject({ ignoreFile: { name: ".dockerignore", text: "x\n" } });
});

test("files are read to their end, but not beyond 4 MiB", async () => {
  const folder = await context("long");
  const text = `FROM scratch\n${"# é\n".repeat(100_000)}`;
  await writeFile(join(folder, "Dockerfile"), text);
  expect(await readSources(folder, "")).toMatchObject({ dockerfile: { name: "Dockerfile", text } });
  await writeFile(join(folder, "Dockerfile"), "#".repeat((4 << 20) + 1));
  await expect(readSources(folder, "")).rejects.toThrow("larger than 4194304 bytes");
});

test("a Dockerfile that a shell gives by a descriptor of its own is read", async () => {
  const folder = await context("given");
  const module = join(import.meta.dir, "sources.ts");
  const code = `import { readSources } from ${JSON.stringify(module)};
    const { dockerfile } = await readSources(${JSON.stringify(folder)}, process.argv[1]);
    process.stdout.write(dockerfile.text);`;
  const script = '"$0" -e "$1" /dev/stdin < <(printf "FROM scratch")';
  const { stdout, stderr } = Bun.spawnSync(["bash", "-c", script, process.execPath, code]);
  expect([stdout.toString(), stderr.toString()]).toEqual(["FROM scratch", ""]);
});
