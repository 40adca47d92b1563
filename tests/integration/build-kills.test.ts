/**
 * `kill -9` of the engine at any moment of a build, and clients that vanish in any of them: nothing is left, and the
 * cache that is there gives right results. The moments are spread over the time that the build takes, whatever it does then.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, mountsBelow, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue, until as waitFor } from "../harness/until.ts";

setDefaultTimeout(120_000);

const plugins = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = plugins.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));
if (!hasBuildx) console.log("SKIPPED builds through buildx: docker's plugin is not on this machine");

const kills = 6;
/** Its content tells which build of it an image is from: each is another, so that it never is all cached. */
const dockerfile = (round: string): string => `FROM busybox AS one
COPY many /many
RUN --mount=type=cache,target=/c echo ${round} >>/c/log; find /many -type f | wc -l >/count; echo ${round} >/round
FROM busybox AS two
RUN echo ${round} >/two; head -c 4000000 /dev/urandom >/big
FROM one
COPY --from=two /two /big /from/
WORKDIR /made/by/${round}
COPY many/d1 again
RUN cat /count /round /from/two >/all
`;

let engine: TestEngine;
let folder = "";
/** what lies in the data root before any build */
let before: string[];

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-build-kills-"));
  for (let d = 0; d < 20; d++) {
    await mkdir(join(folder, `many/d${d}`), { recursive: true });
    for (let f = 0; f < 25; f++) await writeFile(join(folder, `many/d${d}/f${f}`), `${d} ${f}\n`.repeat(50));
  }
  before = await kept();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await engine?.destroy();
});

/** Layers, snapshots and what builds keep, but for what is known of contexts, which goes by its age. */
async function kept(): Promise<string[]> {
  const found: string[] = [];
  for (const place of ["data/layers", "data/snapshots", "data/build", "data/blobs", "exec/build"]) {
    const names = await readdir(join(engine.home, place), { recursive: false }).catch(() => []); // not made yet
    found.push(...names.map((name) => `${place}/${name}`));
    for (const name of names)
      if (place === "data/build")
        found.push(
          ...(await readdir(join(engine.home, place, name)).catch(() => [])).map(
            (sub) => `${place}/${name}/${sub}`,
          ),
        );
  }
  return found.filter((path) => !/build\/(stats|lists$|mounts$)/.test(path)).sort();
}

const steps = async (): Promise<string[]> => [
  ...(await mountsBelow(engine.home)).filter((target) => target.includes("/build")),
  ...(await readdir(join(engine.home, "exec/build")).catch(() => [])),
  ...(await readdir(join(engine.home, "data/build/scratch")).catch(() => [])),
  ...(await readdir(join(engine.home, "data/snapshots")).catch(() => [])),
];

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (await comesTrue(holds, { ms: 90_000 })) return;
  throw new Error(`${what}: ${JSON.stringify(await steps())}\n${(await engine.log()).slice(-2000)}`);
}

const doors: [string, string[]][] = [["in place", [berth, "build"]]];
if (hasBuildx) doors.push(["buildx", ["docker", "build"]]);

describe.each(doors)("%s", (door, command) => {
  const start = async (round: string): Promise<Bun.Subprocess> => {
    await writeFile(join(folder, "Dockerfile"), dockerfile(round));
    return Bun.spawn(engine.inNetwork([...command, "-q", "-t", "killed", folder]), {
      env: { ...process.env, DOCKER_HOST: engine.host },
      stdio: ["ignore", "ignore", "ignore"],
    });
  };
  const works = async (round: string): Promise<void> => {
    expect(await (await start(round)).exited).toBe(0);
    const told = await engine.ok(
      "run",
      "--rm",
      "--network",
      "none",
      "killed",
      "sh",
      "-c",
      "cat /all; ls again | wc -l; pwd",
    );
    expect(told.split("\n")).toEqual(["500", round, round, "25", `/made/by/${round}`]);
  };
  const timed = async (round: string): Promise<number> => {
    const started = performance.now();
    await works(round);
    return performance.now() - started;
  };
  const name = door.replace(" ", "-");

  test("the engine is killed at any moment", async () => {
    const whole = await timed(`${name}-first`);
    for (let at = 0; at < kills; at++) {
      const child = await start(`${name}-k${at}`);
      await Bun.sleep((whole * (at + 0.5)) / kills);
      await engine.stop("SIGKILL");
      await child.exited;
      await engine.start();
      await until("nothing of the killed build is left", async () => (await steps()).length === 0);
      if (at % 3 === 2) await works(`${name}-k${at}`);
    }
    await works(`${name}-k${kills - 1}`);
  });

  test("its client vanishes at any moment", async () => {
    const whole = await timed(`${name}-second`);
    for (let at = 0; at < kills; at++) {
      const child = await start(`${name}-v${at}`);
      await Bun.sleep((whole * (at + 0.5)) / kills);
      child.kill("SIGKILL");
      await child.exited;
      await until("the build without a client has ended", async () => (await steps()).length === 0);
    }
    await works(`${name}-v${kills - 1}`);
  });
});

test("what is left after all of it is only what a prune takes away", async () => {
  await engine.ok("rmi", "-f", "killed");
  await engine.ok("builder", "prune", "-af");
  await engine.ok("image", "prune", "-f");
  expect(await waitFor(kept, (now) => Bun.deepEquals(now, before))).toEqual(before);
});
