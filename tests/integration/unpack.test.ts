import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { isKind } from "../../src/lib/errors.ts";
import { endOfArchive, headerOf, tarEntry } from "../../src/lib/tar/writer.ts";
import type { ApplyOptions } from "../../src/snapshots/contract.ts";
import {
  collect,
  digestOf,
  type Piece,
  streamOf,
  type TestRoot,
  tarOf,
  temporarySnapshots,
} from "../support/archives.ts";

/** Archives that mean harm, or are merely broken or huge: one clear sentence, and nothing left behind. */
setDefaultTimeout(400_000); // a million entries on a loaded machine

let root: TestRoot;
beforeAll(async () => {
  root = await temporarySnapshots("overlay2");
});
afterAll(() => root[Symbol.asyncDispose]());

const file = (name: string, content = ""): Piece => ({ type: "file", name, content });

async function refused(source: AsyncIterable<Uint8Array>, options: ApplyOptions = {}): Promise<string> {
  const before = contents();
  const failure = await root.snapshots.apply(source, options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(isKind(failure, "invalid") || isKind(failure, "tooLarge")).toBe(true);
  expect(contents()).toEqual(before);
  return (failure as Error).message;
}
const contents = (): string[] => [
  ...readdirSync(join(root.path, "layers")),
  ...readdirSync(join(root.path, "snapshots")),
];

/** The layer's own folder on the host. */
async function unpacked(source: AsyncIterable<Uint8Array>, options: ApplyOptions = {}): Promise<string> {
  const { diffId } = await root.snapshots.apply(source, options);
  const row = root.state.db.query<{ folder: string }, [string]>(
    "SELECT folder FROM layers WHERE diff_id = ?",
  );
  return join(root.path, "layers", row.get(diffId)?.folder ?? "", "diff");
}

describe("broken archives are refused", () => {
  const whole = tarOf([file("a", "x".repeat(3000)), file("b", "y")]);
  test("cut short in a header, in content, in a pax header", async () => {
    for (const length of [100, 700, 512 + 2999, 512 + 3072 + 100])
      expect(await refused(streamOf(whole.subarray(0, length)))).toBe("unexpected EOF");
    const pax = tarOf([file(`${"n".repeat(300)}`)]);
    for (const length of [600, 1024])
      expect(await refused(streamOf(pax.subarray(0, length)))).toBe("unexpected EOF");
  });
  test("wrong checksum", async () => {
    const wrong = Buffer.from(whole);
    wrong[10] = 1;
    expect(await refused(streamOf(wrong))).toMatch(/invalid tar header: the checksum/);
  });
  test("no archive at all", async () => {
    expect(await refused(streamOf(Buffer.from("nonsense\n")))).toBe("unexpected EOF");
    expect(await refused(streamOf(Buffer.alloc(5000, "nonsense")))).toMatch(/invalid tar header/);
  });
  test("another diff id than promised", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    expect(await refused(streamOf(whole), { diffId: other })).toBe(
      `invalid diffID: expected "${other}", got "${digestOf(whole)}"`,
    );
  });
  test("a source that fails, and one that is given up", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield whole.subarray(0, 600);
      throw new Error("connection lost");
    }
    const before = contents();
    await expect(root.snapshots.apply(failing())).rejects.toThrow("connection lost");
    const controller = new AbortController();
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield whole.subarray(0, 600);
      controller.abort(new Error("given up"));
      await new Promise(() => undefined);
    }
    await expect(root.snapshots.apply(stalling(), { signal: controller.signal })).rejects.toThrow("given up");
    expect(contents()).toEqual(before);
  });
  test("truncated and damaged compression", async () => {
    const packed = gzipSync(Buffer.concat([whole, Buffer.alloc(100_000)]));
    expect(await refused(streamOf(packed.subarray(0, packed.length - 12)))).toBe("unexpected EOF");
    const zstd = Bun.zstdCompressSync(Buffer.concat([whole, Buffer.alloc(100_000)]));
    expect(await refused(streamOf(zstd.subarray(0, zstd.length - 12)))).toBe("unexpected EOF");
    packed[30] = 0xff;
    packed[31] = 0xff;
    await refused(streamOf(packed));
    const xz = execFileSync("xz", ["-c"], { input: whole });
    expect(await refused(streamOf(xz.subarray(0, xz.length - 20)))).toMatch(/xz: /);
  });
});

describe("names cannot leave the layer", () => {
  const cases: [string, Piece[], RegExp][] = [
    ["..", [file("../evil")], /"..\/evil" is outside/],
    [".. in the middle", [file("a/../../evil")], /outside/],
    [
      "a hard link out by ..",
      [{ type: "hardlink", name: "l", linkName: "../../etc/shadow" }],
      /invalid hardlink/,
    ],
    [
      "a hard link to a file of the host",
      [{ type: "hardlink", name: "l", linkName: "/etc/shadow" }],
      /"etc" is not a directory/,
    ],
    ["a symlink out by ..", [{ type: "symlink", name: "l", linkName: "../../../etc" }], /invalid symlink/],
    ["a whiteout of .", [file("a/.wh..")], /whiteout of "\."/],
    ["a whiteout of ..", [file("a/.wh...")], /whiteout of "\.\."/],
    ["a whiteout of nothing", [file(".wh.")], /whiteout of ""/],
    ["a root that is a file", [file(".")], /root is a file/],
    [
      "a hard link through a link to a folder of the host",
      [
        { type: "symlink", name: "l", linkName: "/etc" },
        { type: "hardlink", name: "h", linkName: "l/shadow" },
      ],
      /is not a directory|which the archive does not have/,
    ],
    [
      "a hard link to a whiteout",
      [file(".wh.gone"), { type: "hardlink", name: "h", linkName: ".wh.gone" }],
      /which the archive does not have/,
    ],
    ["a name of 64 KB", [file("n".repeat(65_536))], /65536 bytes long/],
    ["a part of 300 bytes", [file("n".repeat(300))], /name in the archive is too long/],
  ];
  for (const [what, pieces, sentence] of cases)
    test(what, async () => {
      expect(await refused(streamOf(tarOf(pieces)))).toMatch(sentence);
    });

  test("absolute names and links stay inside", async () => {
    const path = await unpacked(
      streamOf(
        tarOf(
          [
            file("/tmp-berth-absolute", "in"),
            { type: "symlink", name: "out", linkName: "/" },
            file("out/tmp-berth-through", "in"),
            { type: "symlink", name: "up", linkName: "/../.." },
          ].slice(0, 3) as Piece[],
        ),
      ),
    );
    expect(readFileSync(join(path, "tmp-berth-absolute"), "utf8")).toBe("in");
    expect(readFileSync(join(path, "tmp-berth-through"), "utf8")).toBe("in");
    expect(existsSync("/tmp-berth-absolute") || existsSync("/tmp-berth-through")).toBe(false);
  });

  test("a link to a folder of the host, then a write through it", async () => {
    const target = join(root.path, "victim");
    writeFileSync(target, "untouched");
    const pieces: Piece[] = [
      { type: "symlink", name: "link", linkName: target },
      file("link", "replaced"),
      { type: "symlink", name: "dir", linkName: root.path },
    ];
    const path = await unpacked(streamOf(tarOf(pieces)));
    expect(readFileSync(join(path, "link"), "utf8")).toBe("replaced");
    expect(await refused(streamOf(tarOf([...pieces, file("dir/victim", "evil")])))).toMatch(
      /not a directory/,
    );
    expect(
      await refused(streamOf(tarOf([...pieces, { type: "hardlink", name: "h", linkName: "dir/victim" }]))),
    ).toMatch(/not a directory/);
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });

  test("a hard link to an earlier link is that link, and what is written over either stays inside", async () => {
    const target = join(root.path, "linked");
    writeFileSync(target, "untouched");
    const pieces: Piece[] = [
      { type: "symlink", name: "link", linkName: target },
      { type: "hardlink", name: "hard", linkName: "link" },
      { type: "hardlink", name: "harder", linkName: "hard" },
      file("hard", "replaced"),
      file("first", "one"),
      { type: "hardlink", name: "second", linkName: "first" },
      file("first", "two"),
    ];
    const path = await unpacked(streamOf(tarOf(pieces)));
    expect(lstatSync(join(path, "harder")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(path, "hard"), "utf8")).toBe("replaced");
    expect(["first", "second"].map((name) => readFileSync(join(path, name), "utf8"))).toEqual(["two", "one"]);
    expect(readFileSync(target, "utf8")).toBe("untouched");
    expect(lstatSync(target).nlink).toBe(1);
    const through: Piece = { type: "hardlink", name: "evil", linkName: "link/../linked" };
    expect(await refused(streamOf(tarOf([...pieces.slice(0, 1), through])))).toMatch(
      /not a directory|outside|does not have/,
    );
  });

  test("links in a circle, and a chain of a hundred, lead nowhere", async () => {
    const circle: Piece[] = [
      { type: "symlink", name: "a", linkName: "b" },
      { type: "symlink", name: "b", linkName: "a" },
      file("a/file", "x"),
    ];
    await refused(streamOf(tarOf(circle)));
    const chain: Piece[] = Array.from({ length: 100 }, (_, number) => ({
      type: "symlink",
      name: `l${number}`,
      linkName: `l${number + 1}`,
    }));
    await refused(streamOf(tarOf([...chain, file("l0/file", "x")])));
  });

  test("an opaque marker and whiteouts below a link, or of devices, touch nothing outside", async () => {
    const victim = join(root.path, "opaque");
    execFileSync("mkdir", [victim]);
    writeFileSync(join(victim, "kept"), "kept");
    const link: Piece = { type: "symlink", name: "dir", linkName: victim };
    for (const name of ["dir/.wh..wh..opq", "dir/.wh.kept", "dir/sub/.wh.kept"])
      await refused(streamOf(tarOf([link, file(name)])));
    expect(readFileSync(join(victim, "kept"), "utf8")).toBe("kept");
    const path = await unpacked(
      streamOf(
        tarOf([{ type: "char", name: ".wh.gone", deviceMajor: 1, deviceMinor: 3 }, file("here", "x")]),
      ),
    );
    expect(readFileSync(join(path, "here"), "utf8")).toBe("x");
  });

  test("a whiteout through a link deletes nothing outside", async () => {
    const pieces: Piece[] = [{ type: "symlink", name: "dir", linkName: root.path }, file("dir/.wh.layers")];
    await refused(streamOf(tarOf(pieces)));
    expect(existsSync(join(root.path, "layers"))).toBe(true);
  });

  test("attributes that steer the overlay are left out", async () => {
    const xattrs = new Map([
      ["trusted.overlay.redirect", "/etc"],
      ["user.kept", "yes"],
    ]);
    const path = await unpacked(streamOf(tarOf([{ type: "directory", name: "d/", xattrs }])));
    const shown = execFileSync("python3", [
      "-c",
      `import os;print(sorted(os.listxattr(${JSON.stringify(join(path, "d"))})))`,
    ]);
    expect(shown.toString().trim()).toBe("['user.kept']");
  });

  test("a root file system has no whiteouts", async () => {
    expect(await refused(streamOf(tarOf([file("etc/.wh.x")])), { kind: "root" })).toMatch(/is a whiteout/);
  });
});

describe("details are kept", () => {
  test("setuid files of other owners, devices, capabilities, nanoseconds", async () => {
    const capability = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const path = await unpacked(
      streamOf(
        tarOf([
          { ...file("su", "x"), mode: 0o6755, uid: 1000, gid: 100, mtime: { s: -5, ns: 250_000_000 } },
          {
            ...file("ping", "x"),
            mode: 0o755,
            uid: 7,
            xattrs: new Map([["security.capability", capability]]),
          },
          { type: "char", name: "null", mode: 0o666, deviceMajor: 1, deviceMinor: 3 },
          { type: "block", name: "disk", mode: 0o660, gid: 6, deviceMajor: 259, deviceMinor: 70_000 },
          { type: "fifo", name: "pipe", mode: 0o622 },
          { type: "hardlink", name: "su2", linkName: "su" },
          { type: "hardlink", name: "pipe2", linkName: "./pipe" },
        ]),
      ),
    );
    const su = statSync(join(path, "su"), { bigint: true });
    expect([su.mode & 0o7777n, su.uid, su.gid, su.nlink]).toEqual([0o6755n, 1000n, 100n, 2n]);
    expect(
      execFileSync("stat", ["-c", "%.9Y", join(path, "su")])
        .toString()
        .trim(),
    ).toBe("-4.750000000");
    expect(
      execFileSync("stat", ["-c", "%F %t:%T %a", join(path, "disk")])
        .toString()
        .trim(),
    ).toBe("block special file 103:11170 660");
    expect(lstatSync(join(path, "pipe2")).ino).toBe(lstatSync(join(path, "pipe")).ino);
    const value = execFileSync("python3", [
      "-c",
      `import os;print(len(os.getxattr(${JSON.stringify(join(path, "ping"))}, "security.capability")))`,
    ]);
    expect(value.toString().trim()).toBe("20");
  });

  test("a name that comes twice: the later one counts, and the tar still comes back", async () => {
    const tar = tarOf([
      file("f", "first"),
      { type: "directory", name: "d/" },
      file("d/in", "inside"),
      file("f", "second"),
      file("d", "now a file"),
      { type: "symlink", name: "f2", linkName: "f" },
      file("f2", "a file, not through the link"),
      { type: "directory", name: "f2/" },
      file("f2/x", "x"),
      file("f", "third"),
    ]);
    const path = await unpacked(streamOf(tar));
    expect(readFileSync(join(path, "f"), "utf8")).toBe("third");
    expect(readFileSync(join(path, "d"), "utf8")).toBe("now a file");
    expect((await collect(root.snapshots.layerTar(digestOf(tar)))).equals(tar)).toBe(true);
  });

  test("a path as long as paths can be comes back too", async () => {
    const tar = tarOf([file(`${`${"d".repeat(254)}/`.repeat(16)}${"f".repeat(15)}`, "deep")]);
    await unpacked(streamOf(tar));
    expect((await collect(root.snapshots.layerTar(digestOf(tar)))).equals(tar)).toBe(true);
  });

  test("folder times survive what is written into them, through links too", async () => {
    const at = (s: number) => ({ mtime: { s, ns: 0 } });
    const path = await unpacked(
      streamOf(
        tarOf([
          { type: "directory", name: "usr/", ...at(100) },
          { type: "directory", name: "usr/lib/", ...at(200) },
          { type: "symlink", name: "lib", linkName: "usr/lib", ...at(300) },
          file("lib/a", "a"),
          file("usr/lib/b", "b"),
          file("usr/c", "c"),
          file("usr/lib/a", "again"),
        ]),
      ),
    );
    const times = ["usr", "usr/lib", "lib"].map((name) => lstatSync(join(path, name)).mtimeMs / 1000);
    expect(times).toEqual([100, 200, 300]);
    expect(readFileSync(join(path, "usr/lib/a"), "utf8")).toBe("again");
  });

  test("gzip of several members, zstd, xz and bzip2", async () => {
    const tar = tarOf([file("f", `compressed ${"x".repeat(100_000)}`)]);
    const half = tar.length >> 1;
    const forms = [
      Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]),
      zstdCompressSync(tar),
      execFileSync("xz", ["-c"], { input: tar }),
      execFileSync("bzip2", ["-c"], { input: tar }),
    ];
    for (const form of forms) {
      const { diffId } = await root.snapshots.apply(streamOf(form, 1000));
      expect(diffId).toBe(digestOf(tar));
      root.snapshots.removeLayer(diffId);
    }
  });
});

describe("big archives are bounded", () => {
  test("a file larger than the disk is refused at its header", async () => {
    const huge = Buffer.concat([headerOf(tarEntry({ type: "file", name: "huge", size: 100 * 2 ** 40 }))]);
    expect(await refused(streamOf(huge))).toMatch(/would unpack to at least/);
  });

  test("a sparse file of 100 GB with little data counts in full", async () => {
    const sparse = join(root.path, "sparse");
    execFileSync("bash", ["-ec", `mkdir ${sparse}; truncate -s 100G ${sparse}/f; echo end >> ${sparse}/f`]);
    const tar = execFileSync("tar", ["-C", sparse, "--sparse", "--format=gnu", "-c", "."]);
    expect(tar.length).toBeLessThan(100_000);
    const sentence = await refused(streamOf(tar), { limits: { bytes: 50e9 } });
    expect(sentence).toMatch(/would unpack to at least 1073741/);
  });

  test("a gzip bomb ends at the limit", async () => {
    const zeros = Buffer.alloc(10 * 2 ** 20);
    async function* bomb(): AsyncGenerator<Uint8Array> {
      yield gzipSync(headerOf(tarEntry({ type: "file", name: "f", size: 2 ** 33 })));
      const part = gzipSync(zeros);
      for (let count = 0; count < 1000; count++) yield part;
    }
    expect(await refused(bomb(), { limits: { bytes: 50e6 } })).toMatch(/would unpack/);
    async function* trailing(): AsyncGenerator<Uint8Array> {
      const part = gzipSync(zeros);
      for (let count = 0; count < 1000; count++) yield part;
    }
    expect(await refused(trailing())).toMatch(/too many bytes follow/);
  });

  test("a zstd bomb ends at the limit", async () => {
    const zeros = zstdCompressSync(Buffer.alloc(10 * 2 ** 20));
    async function* bomb(): AsyncGenerator<Uint8Array> {
      yield zstdCompressSync(headerOf(tarEntry({ type: "file", name: "f", size: 2 ** 33 })));
      for (let count = 0; count < 1000; count++) yield zeros;
    }
    expect(await refused(bomb(), { limits: { bytes: 50e6 } })).toMatch(/would unpack/);
  });

  test("more entries than allowed", async () => {
    async function* entries(): AsyncGenerator<Uint8Array> {
      for (let number = 0; ; number++) yield headerOf(tarEntry({ type: "file", name: `f${number}` }));
    }
    expect(await refused(entries(), { limits: { entries: 1000 } })).toMatch(/more than 1000 entries/);
  });

  test("a million entries pass in bounded memory", async () => {
    const count = 1_000_000;
    // one folder, a million times: the work is the parser's and the record's, not the disk's
    const block = Buffer.concat(Array(1000).fill(headerOf(tarEntry({ type: "directory", name: "folder/" }))));
    async function* entries(): AsyncGenerator<Uint8Array> {
      for (let done = 0; done < count; done += 1000) yield block;
      yield endOfArchive;
    }
    const before = process.memoryUsage().rss;
    const { size } = await root.snapshots.apply(entries());
    expect(size).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  });
});
