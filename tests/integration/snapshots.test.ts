import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../../src/lib/log.ts";
import { openSnapshots } from "../../src/snapshots/open.ts";
import { State } from "../../src/state/database.ts";
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
  { type: "directory", name: "./" },
  { type: "directory", name: "etc/" },
  { type: "file", name: "etc/passwd", content: "root:x:0:0\n" },
  { type: "file", name: "etc/group", content: "root:x:0:\n" },
  { type: "directory", name: "var/" },
  { type: "directory", name: "var/www/" },
  { type: "file", name: "var/www/index", content: "hello" },
  { type: "directory", name: "old/" },
  { type: "file", name: "old/a", content: "a" },
  { type: "file", name: "old/b", content: "b" },
];

async function applied(root: TestRoot, pieces: readonly Piece[]): Promise<string> {
  return (await root.snapshots.apply(streamOf(tarOf(pieces)))).diffId;
}

for (const driver of ["overlay2", "vfs"] as const)
  describe(`snapshots by ${driver}`, () => {
    test("a layer's tar comes back byte for byte", async () => {
      await using root = await temporarySnapshots(driver);
      const tar = tarOf(base);
      const layer = await root.snapshots.apply(streamOf(tar, 700), { diffId: digestOf(tar) });
      expect(layer).toEqual({ diffId: digestOf(tar), size: 11 + 10 + 5 + 2 });
      expect(root.snapshots.layers()).toEqual([layer]);
      expect((await collect(root.snapshots.layerTar(layer.diffId))).equals(tar)).toBe(true);
    });

    test("a tar that GNU tar made comes back byte for byte, and its files are as they were", async () => {
      await using root = await temporarySnapshots(driver);
      const source = join(root.path, "source");
      execFileSync("bash", ["-ec", makeSource], { env: { ...process.env, D: source } });
      for (const format of ["gnu", "pax", "ustar"]) {
        const name = format === "ustar" ? "--exclude=long*" : "--xattrs";
        const args = ["-C", source, `--format=${format}`, name, "--sparse", "--sort=name", "-c", "."];
        const tar = execFileSync(
          "tar",
          format === "ustar" ? args.filter((arg) => arg !== "--sparse") : args,
          {
            maxBuffer: 1e9,
          },
        );
        const { diffId } = await root.snapshots.apply(streamOf(tar), { kind: "root" });
        expect(diffId).toBe(digestOf(tar));
        expect((await collect(root.snapshots.layerTar(diffId))).equals(tar)).toBe(true);
        await root.snapshots.prepare(format, [diffId]);
        const path = await root.snapshots.mount(format);
        const expected = listing(source, format === "pax");
        expect(listing(path, format === "pax")).toEqual(
          expected.filter((line) => format !== "ustar" || !line.startsWith("long")),
        );
      }
    });

    test("upper layers hide, replace and empty what is below", async () => {
      await using root = await temporarySnapshots(driver);
      const lower = await applied(root, base);
      const upper = await applied(root, [
        { type: "file", name: "etc/.wh.group" },
        { type: "directory", name: "old/" },
        { type: "file", name: "old/.wh..wh..opq" },
        { type: "file", name: "old/c", content: "c" },
        { type: "file", name: "var/.wh.www" },
        { type: "directory", name: "var/www/" },
        { type: "file", name: "var/www/new", content: "new" },
      ]);
      await root.snapshots.prepare("one", [lower, upper]);
      const path = await root.snapshots.mount("one");
      expect(readdirSync(join(path, "old"))).toEqual(["c"]);
      expect(readdirSync(join(path, "var/www"))).toEqual(["new"]);
      expect(existsSync(join(path, "etc/group"))).toBe(false);
      expect(await root.snapshots.changes("one")).toEqual([]);
    });

    test("changes, usage, diff and commit tell what was written", async () => {
      await using root = await temporarySnapshots(driver);
      const lower = await applied(root, base);
      await root.snapshots.prepare("one", [lower]);
      const path = await root.snapshots.mount("one");
      execFileSync("bash", [
        "-ec",
        `cd ${path}; echo x > new; mkdir -p dir/sub; echo f > dir/sub/f; ln dir/sub/f dir/link; rm etc/group; echo y >> etc/passwd
         chmod 700 var/www; ln -s /new symlink; rm -r old; mkdir old; echo c > old/c; mkfifo fifo`,
      ]);
      const changes = await root.snapshots.changes("one");
      expect(changes.map(({ kind, path: name }) => `${"CAD"[kind]} ${name}`)).toEqual(expectedChanges);
      expect(await root.snapshots.usage("one")).toEqual({ size: 2 + 4 + 2 + 2 + 13, files: 6 });
      const layer = await root.snapshots.commit("one");
      expect(digestOf(await collect(root.snapshots.layerTar(layer.diffId)))).toBe(layer.diffId);
      await root.snapshots.prepare("two", [lower, layer.diffId]);
      const copy = await root.snapshots.mount("two");
      // a layer tar has whole seconds, as Docker's
      expect(listing(copy, false)).toEqual(listing(path, false));
      expect(lstatSync(join(copy, "dir/link")).nlink).toBe(2);
      expect(await root.snapshots.changes("two")).toEqual([]);
    });

    test("a snapshot survives the engine and is found again", async () => {
      await using root = await temporarySnapshots(driver);
      const diffId = await applied(root, base);
      await root.snapshots.prepare("one", [diffId]);
      await root.snapshots.mount("one");
      const again = await openSnapshots({ dataRoot: root.path, state: root.state, logger: silentLogger });
      expect(again.driver).toBe(driver);
      expect(await again.keys()).toEqual(["one"]);
      expect(existsSync(again.rootPath("one"))).toBe(true);
      expect(again.layer(diffId)?.diffId).toBe(diffId);
      expect(() => again.removeLayer(diffId)).toThrow(/in use by snapshot one/);
      await again.remove("one");
      again.removeLayer(diffId);
      await again.close();
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root.path);
    });

    test("sweep deletes what no row and no key names", async () => {
      await using root = await temporarySnapshots(driver);
      const kept = await applied(root, base);
      await root.snapshots.prepare("one", [kept]);
      await root.snapshots.prepare("two", [kept]);
      for (const name of ["layers/stray/diff", "layers/tmp-1/diff", "snapshots/tmp-2/diff", "trash/3/x"])
        mkdirSync(join(root.path, name), { recursive: true });
      await root.snapshots.sweep({ keys: new Set(["two"]) });
      await root.snapshots.close();
      expect(await root.snapshots.keys()).toEqual(["two"]);
      expect(readdirSync(join(root.path, "layers")).length).toBe(3); // two of them the engine's own
      expect(readdirSync(join(root.path, "snapshots"))).toEqual(["two"]);
      expect(readdirSync(join(root.path, "trash"))).toEqual([]);
    });

    test("the same diff id applied several times at once is kept once", async () => {
      await using root = await temporarySnapshots(driver);
      const tar = tarOf(base);
      const options = { diffId: digestOf(tar) };
      const results = await Promise.all(
        [1, 2, 3].map(() => root.snapshots.apply(streamOf(tar, 512), options)),
      );
      expect(new Set(results.map(({ diffId }) => diffId)).size).toBe(1);
      expect(readdirSync(join(root.path, "layers")).length).toBe(3); // two of them the engine's own
    });

    test("links in a running container lead changes and diff nowhere", async () => {
      await using root = await temporarySnapshots(driver);
      const diffId = await applied(root, base);
      await root.snapshots.prepare("one", [diffId]);
      const path = await root.snapshots.mount("one");
      rmSync(join(path, "etc"), { recursive: true });
      symlinkSync("/etc", join(path, "etc"));
      writeFileSync(join(path, "file"), "1");
      const names = (await root.snapshots.changes("one")).map((change) => change.path);
      expect(names).toEqual(["/etc", "/file"]);
    });
  });

test("a volatile snapshot can be mounted again", async () => {
  await using root = await temporarySnapshots("overlay2");
  const diffId = await applied(root, base);
  await root.snapshots.prepare("one", [diffId]);
  for (const volatile of [true, true, false, true]) {
    const path = await root.snapshots.mount("one", { volatile });
    writeFileSync(join(path, String(volatile)), "");
    await root.snapshots.unmount("one");
    expect(existsSync(path)).toBe(false);
  }
});

test("a hundred layers stack", async () => {
  await using root = await temporarySnapshots("overlay2");
  const layers: string[] = [];
  for (let number = 0; number < 100; number++)
    layers.push(await applied(root, [{ type: "file", name: `f${number}`, content: String(number) }]));
  await root.snapshots.prepare("one", layers);
  const path = await root.snapshots.mount("one");
  expect(readdirSync(path).filter((name) => /^f\d+$/.test(name)).length).toBe(100);
});

test("on a data root that is an overlay itself, the copying driver is chosen", async () => {
  await using root = await temporarySnapshots("overlay2");
  await root.snapshots.prepare("one", [await applied(root, base)]);
  const nested = join(await root.snapshots.mount("one"), "data");
  const state = State.inMemory();
  const inner = await openSnapshots({ dataRoot: nested, state, logger: silentLogger });
  expect(inner.driver).toBe("vfs");
  const { diffId } = await inner.apply(streamOf(tarOf([...base, { type: "file", name: "etc/.wh.nothing" }])));
  await inner.prepare("inner", [diffId]);
  expect(readFileSync(join(await inner.mount("inner"), "etc/group"), "utf8")).toBe("root:x:0:\n");
  await inner.close();
  // a root whose layers are overlay's is told rather than mixed
  const refused = openSnapshots({ dataRoot: nested, state: root.state, logger: silentLogger });
  await expect(refused).rejects.toThrow(/overlay cannot be used on/);
});

const expectedChanges = [
  "A /dir",
  "A /dir/link",
  "A /dir/sub",
  "A /dir/sub/f",
  "C /etc",
  "D /etc/group",
  "C /etc/passwd",
  "A /fifo",
  "A /new",
  "C /old",
  "D /old/a",
  "D /old/b",
  "A /old/c",
  "A /symlink",
  "C /var",
  "C /var/www",
];

const makeSource = `
mkdir -p "$D"; cd "$D"
mkdir etc; echo hello > plain; chown 1234:5678 plain; chmod 4755 plain
mkdir -p dir/sub; chmod 1777 dir; ln -s ../plain dir/link; ln plain dir/hard
mknod null c 1 3; mknod loop b 7 300; mkfifo pipe
echo umlaut > $'\\xe9-not-utf8'; echo x > ünï
mkdir -p long-$(printf 'x%.0s' {1..120})/$(printf 'y%.0s' {1..120}); cd long-x*/y*; echo deep > file; cd ../..
truncate -s 1M long-sparse; printf data | dd of=long-sparse bs=1 seek=500000 conv=notrunc status=none
command -v setfattr >/dev/null && setfattr -n user.test -v value plain
mkdir setgid; chgrp 77 setgid; chmod 2770 setgid; echo in > setgid/file; chown 5:6 setgid/file
touch -d '2001-02-03 04:05:06.789' plain dir/sub; touch -h -d @100 dir/link; touch -d @1000000000 dir .
`;

/** Everything about a tree that a layer keeps, without what the engine adds below an image. */
function listing(path: string, nanoseconds: boolean): string[] {
  const prune = "( -path ./proc -o -path ./sys -o -path ./dev -o -path ./.dockerenv ) -prune -o".split(" ");
  const time = nanoseconds ? "%T@" : "%Ts";
  const format = `%P %y %m %U:%G %n %l ${time}\\n`;
  const out = execFileSync("find", [".", ...prune, "-mindepth", "1", "-printf", format], {
    cwd: path,
  }).toString("latin1");
  const own = /^etc\/(hosts|hostname|resolv\.conf|mtab) /;
  return out
    .split("\n")
    .filter((line) => line !== "" && !own.test(line))
    .map((line) => line.replace(/( d \d+ \S+) \d+/, "$1")) // an overlay does not count subfolders
    .sort();
}
