import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import type { ExitReport } from "../contract.ts";
import { ExitWatch, monitorsAtOnce } from "./exits.ts";

const logger = createLogger({ level: "error", format: "text", write: () => undefined });

/** A watch that looks all the time, with a bundle for each container. */
async function withWatch(work: (watch: ExitWatch, bundle: (id: string) => string) => Promise<void>) {
  const home = mkdtempSync(join(tmpdir(), "berth-exits-"));
  const exits = join(home, "exits");
  mkdirSync(exits);
  const paths = { exits, exitFile: (id: string) => join(exits, id) };
  const watch = new ExitWatch(paths, logger, { soonMs: 1, seldomMs: 1 });
  try {
    await work(watch, (id) => {
      mkdirSync(join(home, id), { recursive: true });
      return join(home, id);
    });
  } finally {
    watch.close();
    rmSync(home, { recursive: true });
  }
}

const watched = (id: string, bundle: string, monitored: () => boolean) => ({
  id,
  bundle,
  monitored,
  kill: () => undefined,
  oomKills: () => 0,
});

test("many monitors are looked at in slices between which others get their turn", async () => {
  await withWatch(async (watch, bundle) => {
    let turn = 0;
    const looks: number[] = [];
    const done = Promise.withResolvers<void>();
    const count = 10 * monitorsAtOnce;
    const pass = (): void => {
      turn++;
      if (looks.length < count) setImmediate(pass);
    };
    setImmediate(pass);
    const monitored = (): boolean => {
      if (looks.push(turn) === count) done.resolve();
      return true;
    };
    for (let index = 0; index < count; index++) watch.add(watched(`c${index}`, bundle("all"), monitored));
    await done.promise;
    const turns = Map.groupBy(looks, (at) => at);
    for (const [, ofTurn] of turns) expect(ofTurn.length).toBeLessThanOrEqual(2 * monitorsAtOnce);
    expect(turns.size).toBeGreaterThan(3);
  });
});

test("a container whose monitor was killed is told as ended, once", async () => {
  await withWatch(async (watch, bundle) => {
    const told: ExitReport[] = [];
    watch.onExit((report) => told.push(report));
    let alive = true;
    watch.add(watched("killed", bundle("killed"), () => alive));
    alive = false;
    await watch.ended("killed");
    expect(told.map(({ id, exitCode, lost }) => [id, exitCode, lost])).toEqual([["killed", 137, true]]);
  });
});

test("an exit is told, and the watch goes on for those that come after it", async () => {
  await withWatch(async (watch, bundle) => {
    const told: number[] = [];
    watch.onExit(({ exitCode }) => told.push(exitCode));
    for (const [id, code] of [
      ["first", 3],
      ["second", 4],
    ] as const) {
      const folder = bundle(id);
      watch.add(watched(id, folder, () => true));
      // as conmon does: whoever looks meanwhile sees nothing or all of it
      writeFileSync(join(folder, "exit.new"), `${code}`);
      renameSync(join(folder, "exit.new"), join(folder, "exit"));
      writeFileSync(join(folder, "..", "exits", id), `${code}`);
      await watch.ended(id);
    }
    expect(told).toEqual([3, 4]);
  });
});
