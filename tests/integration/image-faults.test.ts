/** The engine is killed with SIGKILL in the middle of pulling, loading, committing and removing images. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { Random } from "../harness/random.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const seed = Number(process.env["BERTH_FAULT_SEED"] ?? Date.now() % 1_000_000);
const random = new Random(seed);
const folder = mkdtempSync(join(tmpdir(), "berth-image-faults-"));
const pulled = "127.0.0.1:5011/big:1";
const archive = join(folder, "big.tar");
let engine: TestEngine;
let registry: TestRegistry;

beforeAll(async () => {
  console.log(`fault seed ${seed}`);
  engine = await startEngine({ images: ["busybox"] });
  const script =
    "for i in 1 2 3 4; do dd if=/dev/urandom of=/l$i bs=1M count=8; done; mkdir /many; for i in $(seq 500); do echo $i >/many/$i; done";
  await engine.ok("run", "--name", "filled", "busybox", "sh", "-c", script);
  await engine.ok("commit", "filled", "big:1");
  await engine.ok("save", "-o", archive, "big:1");
  registry = await startRegistry(engine, { port: 5011 });
  await engine.ok("tag", "big:1", pulled);
  await engine.ok("push", "-q", pulled);
  await engine.ok("rmi", pulled);
});

afterAll(async () => {
  await registry?.destroy();
  await engine.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** Kills the engine while a command of it is under way, and starts it again. */
async function killDuring(withinMs: number, ...command: string[]): Promise<void> {
  const running = engine.berth(...command);
  await Bun.sleep(random.below(withinMs));
  await engine.stop("SIGKILL");
  await running;
  await engine.start();
}

/** Each layer of the disk is in the database and the reverse; what images there are is whole. */
async function whole(): Promise<void> {
  const db = new Database(join(engine.home, "data/state.db"), { readonly: true });
  const rows = db.query<{ folder: string }, []>("SELECT folder FROM layers").all();
  db.close();
  const known = [...rows.map((row) => row.folder), "init", "init-step"].sort();
  expect(readdirSync(join(engine.home, "data/layers")).sort()).toEqual(known);
  const { code, stdout } = await engine.berth("image", "verify", "-q");
  expect([code, stdout.trim().split("\n").at(-1)]).toEqual([0, expect.stringContaining(" 0 damaged")]);
}

test(`a pull that the engine does not survive leaves a whole image or none (seed ${seed})`, async () => {
  for (let round = 0; round < 4; round++) {
    await engine.berth("rmi", "-f", "big:1", pulled);
    await engine.ok("image", "prune", "-af");
    await killDuring(500, "pull", "-q", pulled);
    await whole();
    expect(await engine.ok("pull", "-q", pulled)).toBe(pulled);
    expect(readdirSync(join(engine.home, "data/content/partial"))).toEqual([]);
  }
  expect(await engine.ok("run", "--rm", pulled, "sh", "-c", "ls /many | wc -l")).toBe("500");
  await engine.ok("rmi", pulled);
});

test(`a load that the engine does not survive leaves a whole image or none (seed ${seed})`, async () => {
  for (let round = 0; round < 6; round++) {
    await engine.berth("rmi", "-f", "big:1");
    await killDuring(300, "load", "-i", archive);
    await whole();
    expect(await engine.ok("load", "-i", archive)).toBe("Loaded image: big:1");
  }
  expect(await engine.ok("run", "--rm", "big:1", "sh", "-c", "ls /many | wc -l")).toBe("500");
});

test(`a removal that the engine does not survive leaves a whole image or none (seed ${seed})`, async () => {
  for (let round = 0; round < 6; round++) {
    await killDuring(60, "rmi", "-f", "big:1");
    await whole();
    expect(await engine.ok("load", "-i", archive)).toBe("Loaded image: big:1");
  }
});

test(`a commit that the engine does not survive leaves the container as it was (seed ${seed})`, async () => {
  for (let round = 0; round < 4; round++) {
    await killDuring(250, "commit", "filled", "again:1");
    await whole();
    await engine.ok("commit", "filled", "again:1");
    expect(await engine.ok("image", "diff", "-q", "big:1", "again:1")).toBe("");
    await engine.ok("rmi", "again:1");
  }
});
