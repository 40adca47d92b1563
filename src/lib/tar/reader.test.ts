import { describe, expect, test } from "bun:test";
import type { TarEntry } from "./entry.ts";
import { formatPax } from "./pax.ts";
import { TarReader } from "./reader.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "./writer.ts";

interface Read {
  entry: TarEntry;
  content: string;
}

/** Reads an archive in pieces of `step` bytes; checks that what is told as raw and data is the archive again. */
function read(archive: Uint8Array, step = 100_000): Read[] {
  const found: Read[] = [];
  const told: Uint8Array[] = [];
  const reader = new TarReader({
    entry: (entry) => void found.push({ entry, content: "" }),
    data: (bytes) => {
      const last = found.at(-1);
      if (last !== undefined) last.content += Buffer.from(bytes).toString("latin1");
      told.push(Buffer.from(bytes));
    },
    end: () => undefined,
    raw: (bytes) => void told.push(Buffer.from(bytes)),
  });
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.finish();
  expect(Buffer.concat(told).equals(archive)).toBe(true);
  return found;
}

function archive(...parts: Uint8Array[]): Buffer {
  return Buffer.concat([...parts, endOfArchive]);
}

const file = (name: string, content: string, more: Partial<TarEntry> = {}): Buffer =>
  Buffer.concat([
    headerOf(tarEntry({ type: "file", name, size: content.length, ...more })),
    Buffer.from(content, "latin1"),
    padding(content.length),
  ]);

/** A header block with another type flag, its checksum made right again. */
function retyped(block: Buffer, flag: string, change: (block: Buffer) => void = () => undefined): Buffer {
  const into = Buffer.from(block);
  into.write(flag, 156, "latin1");
  change(into);
  into.write("        ", 148, "latin1");
  let sum = 0;
  for (const byte of into) sum += byte;
  into.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return into;
}

const extended = (flag: string, body: Buffer): Buffer =>
  Buffer.concat([
    retyped(headerOf(tarEntry({ type: "file", name: "extended", size: body.length })), flag),
    body,
    padding(body.length),
  ]);

describe("reading", () => {
  const whole: TarEntry[] = [
    tarEntry({ type: "directory", name: "dir/", mode: 0o1777, uid: 1, gid: 2, mtime: { s: 1, ns: 0 } }),
    tarEntry({ type: "file", name: "dir/file", size: 5, userName: "root", groupName: "wheel" }),
    tarEntry({ type: "symlink", name: "link", linkName: "dir/file" }),
    tarEntry({ type: "hardlink", name: "hard", linkName: "dir/file" }),
    tarEntry({ type: "char", name: "null", deviceMajor: 1, deviceMinor: 3 }),
    tarEntry({ type: "fifo", name: "pipe" }),
    tarEntry({ type: "file", name: `${"long/".repeat(40)}name`, size: 5 }),
    tarEntry({ type: "file", name: `${"x".repeat(200)}`, size: 5 }),
    tarEntry({ type: "symlink", name: "s", linkName: "y".repeat(300) }),
    tarEntry({ type: "file", name: "\xe9-latin1", size: 5, mtime: { s: -1, ns: 500_000_000 } }),
    tarEntry({ type: "file", name: "big-owner", size: 5, uid: 4_000_000_000, gid: 3_000_000 }),
    tarEntry({
      type: "file",
      name: "attributes",
      size: 5,
      xattrs: new Map([
        ["user.a", "b\0c=\n"],
        ["security.x", "\xff"],
      ]),
    }),
  ];
  const bytes = archive(
    ...whole.map((entry) =>
      Buffer.concat([headerOf(entry), Buffer.from("hello".slice(0, entry.size)), padding(entry.size)]),
    ),
  );
  for (const step of [1, 7, 511, 512, 513, 100_000])
    test(`gives back what was written, in pieces of ${step} bytes`, () => {
      const found = read(bytes, step);
      expect(found.map(({ entry }) => entry)).toEqual(whole);
      for (const { entry, content } of found) expect(content).toBe(entry.size === 0 ? "" : "hello");
    });

  test("writing the same entry twice gives the same bytes, and attributes in order", () => {
    const entry = tarEntry({
      type: "file",
      name: "f",
      xattrs: new Map([
        ["b", "1"],
        ["a", "2"],
      ]),
    });
    const text = headerOf(entry).toString("latin1");
    expect(
      headerOf({
        ...entry,
        xattrs: new Map([
          ["a", "2"],
          ["b", "1"],
        ]),
      }).toString("latin1"),
    ).toBe(text);
    expect(text.indexOf("xattr.a=")).toBeLessThan(text.indexOf("xattr.b="));
  });

  test("an archive may be empty, lack its end marker, or go on with zeros", () => {
    expect(read(new Uint8Array())).toEqual([]);
    expect(read(file("a", "x"))).toHaveLength(1);
    expect(read(Buffer.concat([file("a", "x"), new Uint8Array(512)]))).toHaveLength(1);
    expect(read(Buffer.concat([archive(file("a", "x")), Buffer.alloc(8192)]))).toHaveLength(1);
  });

  test("GNU long names and links, base-256 numbers", () => {
    const long = "n".repeat(5000);
    const found = read(
      archive(
        extended("L", Buffer.from(`${long}\0`)),
        extended("K", Buffer.from(`${"k".repeat(200)}\0`)),
        headerOf(tarEntry({ type: "symlink", name: "short", linkName: "short" })),
        retyped(headerOf(tarEntry({ type: "directory", name: "d/" })), "5", (block) => {
          block.fill(0, 108, 116);
          block.writeUInt8(0x80, 108);
          block.writeUInt32BE(3_000_000_000, 112);
          block.fill(0xff, 136, 148); // -1
        }),
      ),
    );
    expect(found[0]?.entry).toMatchObject({ name: long, linkName: "k".repeat(200) });
    expect(found[1]?.entry).toMatchObject({ uid: 3_000_000_000, mtime: { s: -1, ns: 0 } });
  });

  test("global pax records count for nothing, as for every engine that reads by Go's archive/tar", () => {
    const found = read(
      archive(
        extended(
          "g",
          formatPax([
            ["gid", "77"],
            ["uname", "all"],
          ]),
        ),
        file("a", ""),
        extended("x", formatPax([["uname", "own"]])),
        headerOf(tarEntry({ type: "file", name: "b" })),
        file("c", ""),
      ),
    );
    expect(found.map(({ entry }) => [entry.gid, entry.userName])).toEqual([
      [0, ""],
      [0, "own"],
      [0, ""],
    ]);
  });

  test("a file named like a directory in an old archive is one; unknown types are refused", () => {
    const old = retyped(headerOf(tarEntry({ type: "file", name: "old/" })), "\0");
    expect(read(archive(old))[0]?.entry.type).toBe("directory");
    expect(() => read(archive(retyped(old, "Z")))).toThrow(/unknown entry type "Z"/);
  });
});

describe("sparse files", () => {
  const map = [
    { offset: 512, length: 3 },
    { offset: 5000, length: 2 },
  ];
  const check = ({ entry, content }: Read): void => {
    expect(entry).toMatchObject({ name: "real", size: 6000, sparse: map });
    expect(content).toBe("abcde");
  };
  const named = (records: [string, string][], body: string): Buffer =>
    Buffer.concat([extended("x", formatPax(records)), file("placeholder", body)]);
  const size: [string, string] = ["GNU.sparse.size", "6000"];
  const name: [string, string] = ["GNU.sparse.name", "real"];

  test("pax 0.0", () => {
    const pairs: [string, string][] = map.flatMap(({ offset, length }): [string, string][] => [
      ["GNU.sparse.offset", String(offset)],
      ["GNU.sparse.numbytes", String(length)],
    ]);
    const records = [
      size,
      ["GNU.sparse.numblocks", "2"] as [string, string],
      ...pairs,
      ["path", "real"] as [string, string],
    ];
    read(archive(named(records, "abcde"))).forEach(check);
  });
  test("pax 0.1", () => {
    read(archive(named([size, name, ["GNU.sparse.map", "512,3,5000,2"]], "abcde"))).forEach(check);
  });
  const one: [string, string][] = [
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    name,
    ["GNU.sparse.realsize", "6000"],
  ];
  test("pax 1.0, its map across blocks", () => {
    read(archive(named(one, `${"2\n512\n3\n5000\n2\n".padEnd(512, "\0")}abcde`)), 77).forEach(check);
    const many = Array.from({ length: 200 }, (_, index) => `${index * 20}\n1\n`).join("");
    const padded = `200\n${many}`;
    const body = padded.padEnd(Math.ceil(padded.length / 512) * 512, "\0") + "x".repeat(200);
    expect(read(archive(named(one, body)))[0]?.entry.sparse).toHaveLength(200);
  });
  test("old GNU", () => {
    const header = retyped(headerOf(tarEntry({ type: "file", name: "real", size: 5 })), "S", (block) => {
      block.fill(0, 345, 512);
      block.write("ustar  \0", 257, "latin1");
      map.forEach(({ offset, length }, index) => {
        block.write(
          `${offset.toString(8).padStart(11, "0")}\0${length.toString(8).padStart(11, "0")}\0`,
          386 + index * 24,
        );
      });
      block.write("00000013560\0", 483); // 6000
    });
    read(archive(header, Buffer.from("abcde"), padding(5))).forEach(check);
  });
  test("a map that leaves its file, overlaps, or does not add up is refused", () => {
    for (const bad of ["512,3,6000,2", "512,3,513,2", "512,3", "512,3,5000,3", "512", "x,3,5000,2"])
      expect(() => read(archive(named([size, name, ["GNU.sparse.map", bad]], "abcde")))).toThrow(
        /invalid tar header/,
      );
    expect(() => read(archive(named(one, "2\n512\n".padEnd(1024, "\0"))))).toThrow(/invalid tar header/);
    expect(() => read(archive(named(one, "99999999999\n".padEnd(1024, "\0"))))).toThrow(/invalid tar header/);
  });
});

describe("broken archives", () => {
  const good = archive(file("a", "x".repeat(600)), file("b", "y"));
  test("cut anywhere inside an entry", () => {
    for (const length of [1, 511, 513, 1000, 512 + 1024 + 1])
      expect(() => read(good.subarray(0, length))).toThrow(/^unexpected EOF$/);
  });
  test("any flipped bit of a header is found by its checksum", () => {
    for (const at of [0, 50, 101, 130, 156, 260, 400]) {
      const wrong = Buffer.from(good);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      expect(() => read(wrong)).toThrow(/checksum/);
    }
  });
  test("data after one empty block, endless data after the end", () => {
    expect(() => read(Buffer.concat([new Uint8Array(512), good]))).toThrow(/follow an empty block/);
    const reader = new TarReader({ entry: () => undefined, data: () => undefined, end: () => undefined });
    reader.push(endOfArchive);
    const megabyte = new Uint8Array(2 ** 20);
    expect(() => {
      for (let count = 0; count < 100; count++) reader.push(megabyte);
    }).toThrow(/too many bytes follow/);
  });
  test("an extended header that is too big, malformed, or belongs to nothing", () => {
    const huge = retyped(headerOf(tarEntry({ type: "file", name: "x", size: 2_000_000 })), "x");
    expect(() => read(huge)).toThrow(/2000000 bytes is over the limit/);
    for (const body of ["5 a=b", "99 a=b\n", "x a=b\n", "6 ab\n", "5 =b\n", "a"])
      expect(() => read(archive(extended("x", Buffer.from(body)), file("a", "")))).toThrow(
        /pax record is malformed/,
      );
    expect(() => read(archive(extended("x", formatPax([["path", "p"]]))))).toThrow(/belongs to no entry/);
  });
  test("names with NUL, numbers out of range, no name", () => {
    const pax = (key: string, value: string): Buffer =>
      archive(extended("x", formatPax([[key, value]])), file("a", ""));
    expect(() => read(pax("path", "a\0b"))).toThrow(/NUL/);
    expect(() => read(pax("uid", "-1"))).toThrow(/invalid tar header/);
    expect(() => read(pax("gid", "4294967295"))).toThrow(/out of range/);
    expect(() => read(pax("size", "99999999999999999"))).toThrow(/invalid tar header/);
    expect(() => read(pax("mtime", "yesterday"))).toThrow(/not a time/);
    expect(() => read(archive(headerOf(tarEntry({ type: "file", name: "" }))))).toThrow(/no name/);
  });
});
