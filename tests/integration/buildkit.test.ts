/** The stock `docker build` over BuildKit's wire: contexts, outputs, bake, history, and builds whose client goes away. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Outcome, processesWith, startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(120_000);

const pluginFolders = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = pluginFolders.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));
if (!hasBuildx) console.warn("skipped: docker's buildx plugin is not on this machine");

describe.skipIf(!hasBuildx)("docker build", () => {
  let engine: TestEngine;
  let folder = "";

  beforeAll(async () => {
    engine = await startEngine({ images: ["busybox"] });
    folder = await mkdtemp(join(tmpdir(), "berth-buildkit-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await engine?.destroy();
  });

  const put = async (files: Record<string, string>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  };
  const docker = async (...args: string[]): Promise<string> => succeeded(await engine.docker(...args));
  const build = (...args: string[]): Promise<string> => docker("build", "-q", ...args, folder);
  const print = (image: string, file: string): Promise<string> =>
    docker("run", "--rm", "--network", "none", image, "cat", file);

  function succeeded({ code, stdout, stderr }: Outcome): string {
    if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
    return stdout;
  }

  test("sends the second time only what changed, and builds from what is there now", async () => {
    await put({
      Dockerfile: "FROM busybox\nCOPY src /src\n",
      "src/a": "one",
      "src/gone": "x",
      "src/deep/b": "b",
    });
    await build("-t", "sync:1");
    await rm(join(folder, "src/gone"));
    await put({ "src/a": "changed" });
    await build("-t", "sync:2");
    expect(await print("sync:2", "/src/a")).toBe("changed");
    const listed = await docker("run", "--rm", "--network", "none", "sync:2", "find", "/src", "-type", "f");
    expect(listed.trim().split("\n").sort()).toEqual(["/src/a", "/src/deep/b"]);
    expect(await print("sync:1", "/src/gone")).toBe("x");
  });

  test("takes labels, arguments, named contexts and an archive on its standard input", async () => {
    await put({
      Dockerfile:
        "FROM scratch AS from\nCOPY --from=other /f /f\nFROM busybox\nARG A\nCOPY --from=from /f /f\nRUN echo $A >/a\n",
      "other/f": "named",
    });
    await build(
      "-t",
      "named",
      "--build-arg",
      "A=given",
      "--label",
      "l=m",
      "--build-context",
      `other=${folder}/other`,
    );
    expect(await print("named", "/f")).toBe("named");
    expect(await print("named", "/a")).toBe("given\n");
    expect(await docker("image", "inspect", "-f", "{{.Config.Labels.l}}", "named")).toBe("m\n");
    await put({ Dockerfile: "FROM busybox\nCOPY other /o\n" });
    const { stdout } = Bun.spawnSync(["tar", "-C", folder, "-c", "."]);
    const command = ["docker", "build", "-q", "-t", "piped", "-"];
    succeeded(await engine.run(command, { input: new Uint8Array(stdout) }));
    expect(await print("piped", "/o/f")).toBe("named");
  });

  test("writes folders and archives where the client is", async () => {
    await put({ Dockerfile: "FROM scratch\nCOPY other/f /dir/f\n", "other/f": "out" });
    await build("-o", join(folder, "result"));
    expect(await readFile(join(folder, "result/dir/f"), "utf8")).toBe("out");
    await build("-o", `type=tar,dest=${folder}/result.tar`);
    const { stdout } = Bun.spawnSync(["tar", "-xOf", join(folder, "result.tar"), "dir/f"]);
    expect(stdout.toString()).toBe("out");
  });

  test("tells how the result was made in the client's metadata file", async () => {
    await put({ Dockerfile: "FROM busybox\nARG A\nRUN echo $A >/a\n" });
    await build("--metadata-file", join(folder, "metadata"), "--build-arg", "A=1");
    const facts = JSON.parse(await readFile(join(folder, "metadata"), "utf8"));
    const { invocation, materials } = facts["buildx.build.provenance"];
    expect(invocation.parameters.args).toEqual({ "build-arg:A": "1" });
    expect(materials).toHaveLength(1);
  });

  test("builds a bake target from another's result, and leaves no name of it", async () => {
    await put({
      "docker-bake.hcl": `
target "base" { dockerfile-inline = "FROM busybox\\nRUN echo base >/base\\n" }
target "app" {
  contexts = { base = "target:base" }
  dockerfile-inline = "FROM base\\nRUN cat /base >/app\\n"
  tags = ["baked"]
}`,
    });
    succeeded(await engine.run(["docker", "buildx", "bake", "-f", join(folder, "docker-bake.hcl"), "app"]));
    expect(await print("baked", "/app")).toBe("base\n");
    expect(await docker("images", "-a", "--format", "{{.Repository}}")).not.toContain("berth.internal");
  });

  test("tells a failed step with its lines, and keeps it in the history", async () => {
    await put({ Dockerfile: "FROM busybox\nRUN exit 7\n" });
    const failed = await engine.docker("build", "--progress=plain", folder);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("   2 | >>> RUN exit 7\n");
    expect(failed.stderr).toContain(
      'process "/bin/sh -c exit 7" did not complete successfully: exit code: 7',
    );
    expect(await docker("buildx", "history", "ls")).toContain("Error");
  });

  test("ends when its client is killed: its step's processes go", async () => {
    const marker = `8${process.pid}`;
    await put({ Dockerfile: `FROM busybox\nRUN sleep ${marker}\n` });
    const command = engine.inNetwork(["docker", "build", folder]);
    const child = Bun.spawn(command, {
      env: { ...process.env, DOCKER_HOST: engine.host },
      stdio: ["ignore", "ignore", "ignore"],
    });
    const running = async (): Promise<boolean> => (await processesWith(marker)).length > 0;
    while (!(await running())) await Bun.sleep(50);
    child.kill("SIGKILL");
    await child.exited;
    while (await running()) await Bun.sleep(50);
    await put({ Dockerfile: "FROM busybox\nRUN echo after >/f\n" });
    await build("-t", "after");
    expect(await print("after", "/f")).toBe("after\n");
  });
});
