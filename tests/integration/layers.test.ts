import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../../src/lib/log.ts";
import { openSnapshots } from "../../src/snapshots/open.ts";
import {
  collect,
  digestOf,
  type Piece,
  streamOf,
  type TestRoot,
  tarOf,
  temporarySnapshots,
} from "../support/archives.ts";

setDefaultTimeout(120_000);

const base: Piece[] = [
  { type: "directory", name: "etc/" },
  { type: "file", name: "etc/conf", content: "one\n" },
  { type: "directory", name: "old/" },
  { type: "file", name: "old/a", content: "a" },
];

async function written(root: TestRoot, key: string, script: string): Promise<string> {
  const { diffId } = await root.snapshots.apply(streamOf(tarOf(base)));
  await root.snapshots.prepare(key, [diffId]);
  const path = await root.snapshots.mount(key);
  execFileSync("bash", ["-ec", `cd ${path}; ${script}`]);
  return path;
}

const script = `echo x > new; ln new link; mkdir -p sub/dir; seq 100000 > sub/dir/big; rm etc/conf; rm -r old; mkdir old; echo c > old/c
  ln -s /new symlink; mkfifo fifo; truncate -s 3000000 sparse; python3 -c 'import os; os.setxattr("new", "user.note", b"hi")'; touch -d 2001-02-03T04:05:06.7 etc`;

for (const driver of ["overlay2", "vfs"] as const)
  describe(`layers made by ${driver}`, () => {
    test("consuming a snapshot gives the layer that copying it gives, and takes the snapshot away", async () => {
      await using root = await temporarySnapshots(driver);
      await written(root, "one", script);
      const copied = await root.snapshots.commit("one");
      const tar = await collect(root.snapshots.layerTar(copied.diffId));
      expect(digestOf(tar)).toBe(copied.diffId);
      expect(await root.snapshots.layerTarSize(copied.diffId)).toBe(tar.length);
      root.snapshots.removeLayer(copied.diffId);
      const taken = await root.snapshots.commit("one", { consume: true });
      expect(taken).toEqual(copied);
      expect(await root.snapshots.keys()).toEqual([]);
      expect((await collect(root.snapshots.layerTar(taken.diffId))).equals(tar)).toBe(true);
      expect(await root.snapshots.layerTarSize(taken.diffId)).toBe(tar.length);
      await root.snapshots.close();
      expect(readdirSync(join(root.path, "snapshots"))).toEqual([]);
      expect(readdirSync(join(root.path, "layers")).length).toBe(4); // two of them the engine's own
    });

    test("what a consumed layer shows is what its tar shows elsewhere", async () => {
      await using root = await temporarySnapshots(driver);
      await using other = await temporarySnapshots(driver);
      await written(root, "one", `${script}; python3 -c 'import socket; socket.socket(1).bind("s")'`);
      const taken = await root.snapshots.commit("one", { consume: true });
      const [lower = ""] = root.snapshots
        .layers()
        .map(({ diffId }) => diffId)
        .filter((diffId) => diffId !== taken.diffId);
      const listings: string[] = [];
      for (const each of [root, other]) {
        if (each === other)
          for (const diffId of [lower, taken.diffId])
            await other.snapshots.apply(root.snapshots.layerTar(diffId) as AsyncIterable<Uint8Array>);
        await each.snapshots.prepare("two", [lower, taken.diffId]);
        const path = await each.snapshots.mount("two");
        listings.push(
          execFileSync(
            "bash",
            ["-c", `cd ${path}; find . -printf '%p %m %U:%G %T@ %y %l %n\\n' | grep '[.]0* [dflp] ' | sort`],
            {
              encoding: "utf8",
            },
          ),
        );
        expect(await each.snapshots.changes("two")).toEqual([]);
      }
      expect(listings[0]).toBe(listings[1] ?? "");
      expect(listings[0]).toContain("./old/c");
      expect(listings[0]).not.toContain("./old/a");
      expect(listings[0]).not.toContain("./s ");
    });
  });

test("a file written again with the same size and time is in the layer", async () => {
  await using root = await temporarySnapshots("overlay2");
  const path = await written(root, "one", "true");
  const { atime, mtime } = statSync(join(path, "etc/conf"));
  writeFileSync(join(path, "etc/conf"), "two\n");
  utimesSync(join(path, "etc/conf"), atime, mtime);
  const { diffId } = await root.snapshots.commit("one");
  expect((await collect(root.snapshots.layerTar(diffId))).includes("two\n")).toBe(true);
});

test("a new directory says nothing of layers below, unless something there is hidden", async () => {
  await using root = await temporarySnapshots("overlay2");
  await written(root, "one", "mkdir -p fresh/inner; rm -r old; mkdir old");
  const { diffId } = await root.snapshots.commit("one");
  const tar = (await collect(root.snapshots.layerTar(diffId))).toString("latin1");
  expect(tar.match(/[a-z/]*\.wh\.[.a-z]*/g)).toEqual(["old/.wh..wh..opq"]);
});

test("a layer that a power cut damaged is dropped at the next start, one it spared stays", async () => {
  await using root = await temporarySnapshots("overlay2");
  const spared = await root.snapshots.apply(streamOf(tarOf(base)));
  const hurt = await root.snapshots.apply(
    streamOf(tarOf([{ type: "file", name: "file", content: "whole" }])),
  );
  await root.snapshots.close();
  const folder = root.state.db
    .query<{ folder: string }, [string]>("SELECT folder FROM layers WHERE diff_id = ?")
    .get(hurt.diffId)?.folder;
  writeFileSync(join(root.path, "layers", folder ?? "", "diff/file"), "");
  root.state.db.run("UPDATE layers SET synced = 0");
  root.state.db.run("UPDATE facts SET value = 'another boot' WHERE key = 'snapshots.boot'");
  const boot = () =>
    root.state.db.query<{ value: string }, []>("SELECT value FROM facts WHERE key = 'snapshots.boot'").get();
  const whenFound: unknown[] = [];
  const logger = { ...silentLogger, error: () => void whenFound.push(boot()?.value) };
  const again = await openSnapshots({ dataRoot: root.path, state: root.state, logger });
  expect(again.layers()).toEqual([spared]);
  // an engine that is killed while it reads them begins again at its next start
  expect(whenFound).toEqual(["another boot"]);
  expect(boot()?.value).not.toBe("another boot");
  await again.close();
});

test("new layers are marked as synced soon", async () => {
  await using root = await temporarySnapshots("overlay2");
  const { diffId } = await root.snapshots.apply(streamOf(tarOf(base)));
  const synced = () =>
    root.state.db
      .query<{ synced: number }, [string]>("SELECT synced FROM layers WHERE diff_id = ?")
      .get(diffId)?.synced;
  expect(synced()).toBe(0);
  while (synced() !== 1) await Bun.sleep(50);
}, 200_000); // a busy disk takes its time

test("a layer of an engine that did not count its tar is counted once", async () => {
  await using root = await temporarySnapshots("overlay2");
  const tar = tarOf(base);
  const { diffId } = await root.snapshots.apply(streamOf(tar));
  root.state.db.run("UPDATE layers SET tar_size = -1");
  const again = await openSnapshots({ dataRoot: root.path, state: root.state, logger: silentLogger });
  expect(await again.layerTarSize(diffId)).toBe(tar.length);
  await again.close();
  expect(root.state.db.query<{ tar_size: number }, []>("SELECT tar_size FROM layers").get()?.tar_size).toBe(
    tar.length,
  );
});

test("a layer whose file changed behind the engine's back fails at the end of its tar", async () => {
  await using root = await temporarySnapshots("overlay2");
  const { diffId } = await root.snapshots.apply(streamOf(tarOf(base)));
  const folder = root.state.db.query<{ folder: string }, []>("SELECT folder FROM layers").get()?.folder ?? "";
  const file = join(root.path, "layers", folder, "diff/etc/conf");
  writeFileSync(file, "bad\n");
  const told = (error: unknown): string => String(error);
  const failure = () => collect(root.snapshots.layerTar(diffId)).then(() => "", told);
  expect(await failure()).toMatch(/is damaged/);
  expect(await root.snapshots.verifyLayer(diffId).catch(told)).toMatch(/is damaged: its tar is now sha256:/);
  writeFileSync(file, "");
  expect(await failure()).toMatch(/shorter than it was/);
});
