import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Index, Manifest } from "../../src/types/oci.ts";
import { run, startEngine, type TestEngine } from "../harness/engine.ts";
import { Schemas } from "../support/json-schema.ts";

/** `save` and back, through the real engine and its clients. */
setDefaultTimeout(120_000);

let engine: TestEngine;
const work = mkdtempSync(join(tmpdir(), "berth-save-"));

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  await engine.ok("run", "--name", "made", "busybox", "sh", "-c", "echo hi >/f; rm /bin/ar; mkdir /bin/sub");
  await engine.ok("commit", "-m", "made", "-c", "ENV A=1", "-c", "EXPOSE 80", "made", "two:v1");
  await engine.ok("rm", "made");
  await engine.ok("tag", "two:v1", "localhost:5000/deep/two:v2");
});

afterAll(async () => {
  await engine.destroy();
  rmSync(work, { recursive: true, force: true });
});

async function saved(name: string, ...images: string[]): Promise<string> {
  const folder = join(work, name);
  mkdirSync(folder);
  await engine.ok("save", "-o", `${folder}.tar`, ...images);
  await run(["tar", "-C", folder, "-xf", `${folder}.tar`]);
  return folder;
}

const jsonOf = <Type>(folder: string, file: string): Type =>
  JSON.parse(readFileSync(join(folder, file), "utf8")) as Type;
const blobOf = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

test("an archive is a valid OCI layout, and each blob's name is its digest", async () => {
  const folder = await saved("layout", "two:v1", "localhost:5000/deep/two:v2", "busybox");
  const schemas = new Schemas(resolve("tests/fixtures/image-spec"));
  const valid = (schema: string, file: string): void =>
    expect([file, schemas.problems(schema, jsonOf(folder, file))]).toEqual([file, []]);
  valid("image-layout-schema.json", "oci-layout");
  valid("image-index-schema.json", "index.json");
  const { manifests } = jsonOf<Index>(folder, "index.json");
  expect(manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"])).toEqual([
    "docker.io/library/two:v1",
    "localhost:5000/deep/two:v2",
    "docker.io/library/busybox:latest",
  ]);
  for (const { digest } of manifests) {
    valid("image-manifest-schema.json", blobOf(digest));
    const manifest = jsonOf<Manifest>(folder, blobOf(digest));
    valid("config-schema.json", blobOf(manifest.config.digest));
    for (const { digest: blob, size } of [manifest.config, ...manifest.layers])
      expect(readFileSync(join(folder, blobOf(blob))).length).toBe(size);
  }
  for (const name of readdirSync(join(folder, "blobs/sha256")))
    expect(
      createHash("sha256")
        .update(readFileSync(join(folder, "blobs/sha256", name)))
        .digest("hex"),
    ).toBe(name);
});

test("manifest.json and repositories say the same in docker's older words", async () => {
  const folder = await saved("docker", "two:v1", "busybox");
  const id = await engine.ok("image", "inspect", "-f", "{{.Id}}", "two:v1");
  const parent = await engine.ok("image", "inspect", "-f", "{{.Id}}", "busybox");
  const layers = JSON.parse(await engine.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", "two:v1"));
  const [two] = jsonOf<Record<string, unknown>[]>(folder, "manifest.json");
  expect(two).toMatchObject({
    Config: blobOf(id),
    RepoTags: ["two:v1"],
    Layers: layers.map(blobOf),
    Parent: parent,
  });
  expect(jsonOf(folder, "repositories")).toEqual({
    busybox: { latest: layers[0].slice("sha256:".length) },
    two: { v1: layers[1].slice("sha256:".length) },
  });
});

test("a round trip keeps every digest, and the image runs", async () => {
  await saved("round", "two:v1");
  const inspect = [
    "image",
    "inspect",
    "-f",
    "{{.Id}} {{json .RootFS}} {{json .Config}} {{.Created}}",
    "two:v1",
  ];
  const before = await engine.ok(...inspect);
  await engine.ok("rmi", "-f", "two:v1", "localhost:5000/deep/two:v2");
  expect(await engine.ok("load", "-i", join(work, "round.tar"))).toBe("Loaded image: two:v1");
  expect(await engine.ok(...inspect)).toBe(before);
  expect(
    await engine.ok(
      "run",
      "--rm",
      "two:v1",
      "sh",
      "-c",
      "cat /f; echo $A; ls -d /bin/ar /bin/sub 2>&1; true",
    ),
  ).toBe("hi\n1\nls: /bin/ar: No such file or directory\n/bin/sub");
  await engine.ok("tag", "two:v1", "localhost:5000/deep/two:v2");
});

test("a name without a tag saves all of its tags, an id saves none", async () => {
  await engine.ok("tag", "two:v1", "many:1");
  await engine.ok("tag", "busybox", "many:2");
  const tags = jsonOf<{ RepoTags: string[] | null }[]>(await saved("many", "many"), "manifest.json");
  expect(tags.flatMap(({ RepoTags }) => RepoTags ?? []).sort()).toEqual(["many:1", "many:2"]);
  const id = (await engine.ok("image", "inspect", "-f", "{{.Id}}", "two:v1")).slice("sha256:".length, 20);
  const folder = await saved("id", id);
  expect(jsonOf<{ RepoTags: string[] | null }[]>(folder, "manifest.json")[0]?.RepoTags).toBe(null);
  expect(readdirSync(folder)).not.toContain("repositories");
  await engine.ok("rmi", "many:1", "many:2");
});

test("what cannot be saved is refused before a file is made", async () => {
  const target = join(work, "none.tar");
  const refusals: [args: string[], sentence: string][] = [
    [["missing:1"], "reference does not exist"],
    [["missing"], "No such image: missing"],
    [["two:v1", "missing"], "No such image: missing"],
    [["--platform", "linux/arm64", "busybox"], "no suitable export target found for platform linux/arm64"],
  ];
  for (const [args, sentence] of refusals) {
    const { code, stderr } = await engine.berth("save", "-o", target, ...args);
    expect([code, stderr.trim()]).toEqual([1, `Error response from daemon: ${sentence}`]);
  }
  expect(readdirSync(work)).not.toContain("none.tar");
});

test("a folder in place of an archive is refused, and nothing waits for it", async () => {
  for (const command of [
    ["load", "-i", work],
    ["import", work, "folder:1"],
  ]) {
    const { code, stderr } = await engine.berth(...command);
    expect([code, stderr.trim()]).toEqual([1, expect.stringContaining(`read ${work}: is a directory`)]);
  }
});

test("a client that goes away in mid-save holds nothing any more", async () => {
  await engine.ok("run", "--name", "big", "busybox", "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=40");
  await engine.ok("commit", "big", "big:1");
  await engine.ok("rm", "big");
  const abort = new AbortController();
  const response = await engine.api("/images/big:1/get", { signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  const layers = () => readdirSync(join(engine.home, "data/layers")).length;
  const before = layers();
  await engine.ok("rmi", "big:1");
  // whether the engine had noticed by then or not, a prune a moment later finds the layer unused
  while (layers() >= before) {
    await engine.ok("image", "prune", "-f");
    await Bun.sleep(20);
  }
});

for (const tool of ["skopeo", "podman"])
  test.skipIf(Bun.which(tool) === null)(`${tool} reads what we save, and we what it writes`, async () => {
    await saved(tool, "two:v1");
    const target = join(work, `${tool}-copy.tar`);
    const archive = `docker-archive:${work}/${tool}.tar`;
    if (tool === "skopeo")
      expect(await run([tool, "copy", archive, `docker-archive:${target}:copied:v1`])).toMatchObject({
        code: 0,
      });
    else {
      const storage = [
        "--root",
        join(work, "podman"),
        "--runroot",
        join(work, "podman-run"),
        "--storage-driver=vfs",
      ];
      expect(await run([tool, ...storage, "load", "-i", `${work}/${tool}.tar`])).toMatchObject({ code: 0 });
      expect(await run([tool, ...storage, "tag", "two:v1", "copied:v1"])).toMatchObject({ code: 0 });
      expect(await run([tool, ...storage, "save", "-o", target, "copied:v1"])).toMatchObject({ code: 0 });
    }
    const id = await engine.ok("image", "inspect", "-f", "{{.Id}}", "two:v1");
    const name = /Loaded image: (.*)/.exec(await engine.ok("load", "-i", target))?.[1] ?? "";
    expect(await engine.ok("image", "inspect", "-f", "{{.Id}}", name)).toBe(id);
  });
