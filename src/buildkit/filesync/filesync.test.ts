import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import { packet, packetType } from "../messages/session.ts";
import { DiskTree } from "./disk-tree.ts";
import { compareOrder, type Entry } from "./entry.ts";
import { fromGoMode, toGoMode } from "./go-mode.ts";
import { keepRows, newRows, openIndex } from "./index-file.ts";
import { MemoryTree } from "./memory-tree.ts";
import { Receiver } from "./receiver.ts";
import { RowList, type Rows } from "./rows.ts";
import { Sender } from "./sender.ts";

let from: string;
let to: string;

beforeEach(() => {
  from = mkdtempSync(join(tmpdir(), "berth-sync-from-"));
  to = mkdtempSync(join(tmpdir(), "berth-sync-to-"));
});

afterEach(() => {
  for (const folder of [from, to]) rmSync(folder, { recursive: true, force: true });
});

function entriesIn(rows: Rows): Entry[] {
  const entries: Entry[] = [];
  const next = rows.cursor();
  for (let row = next(); row !== undefined; row = next()) entries.push(row.entry);
  return entries;
}

/** One transfer from folder to folder; returns how many files were asked for, and what the copy holds. */
function sync(kept?: Map<string, Entry>, prefix = ""): { asked: number; entries: Map<string, Entry> } {
  const sender = new Sender(from, prefix);
  const tree = new DiskTree(to);
  const rows = new RowList();
  const before = kept?.values();
  const receiver = new Receiver(tree, rows, () => before?.next().value);
  let asked = 0;
  for (let packets = sender.next(); packets.length > 0 || !sender.finished; packets = sender.next()) {
    const answers = receiver.feed(packets);
    asked += answers.filter((each) => decode(packet, each).type === packetType.request).length;
    sender.feed(answers);
    if (sender.finished) break;
  }
  receiver.feed([encode(packet, { type: packetType.finish })]);
  expect(receiver.finished).toBe(true);
  tree.close();
  sender.close();
  return { asked, entries: new Map(entriesIn(rows).map((entry) => [entry.path, entry])) };
}

describe("a folder sent and received", () => {
  test("is the same: bytes, modes, times, links of both kinds, empty folders", () => {
    mkdirSync(join(from, "a/deep/er"), { recursive: true });
    writeFileSync(join(from, "a/f"), "text", { mode: 0o640 });
    writeFileSync(join(from, "a/big"), Buffer.alloc(3_000_000, 7));
    writeFileSync(join(from, "empty"), "");
    symlinkSync("a/f", join(from, "link"));
    linkSync(join(from, "a/f"), join(from, "hard"));
    chmodSync(join(from, "a"), 0o1750);
    utimesSync(join(from, "a/f"), 1_000_000_000.25, 1_000_000_000.25);
    sync();
    expect(readdirSync(to, { recursive: true }).sort()).toEqual(
      readdirSync(from, { recursive: true }).sort(),
    );
    expect(readFileSync(join(to, "a/f"), "utf8")).toBe("text");
    expect(readFileSync(join(to, "a/big")).equals(Buffer.alloc(3_000_000, 7))).toBe(true);
    expect(readlinkSync(join(to, "link"))).toBe("a/f");
    expect(lstatSync(join(to, "hard")).ino).toBe(lstatSync(join(to, "a/f")).ino);
    for (const name of ["a", "a/f", "empty"]) {
      expect(lstatSync(join(to, name)).mode).toBe(lstatSync(join(from, name)).mode);
      expect(lstatSync(join(to, name)).mtimeMs).toBe(lstatSync(join(from, name)).mtimeMs);
    }
  });

  test("sends the second time what changed alone, and drops what is gone", () => {
    mkdirSync(join(from, "d"));
    mkdirSync(join(from, "gone/below"), { recursive: true });
    for (const name of ["one", "two", "d/three", "gone/below/four"]) writeFileSync(join(from, name), name);
    const first = sync();
    expect(first.asked).toBe(4);
    expect(sync(first.entries).asked).toBe(0);
    writeFileSync(join(from, "d/three"), "changed");
    rmSync(join(from, "gone"), { recursive: true });
    rmSync(join(from, "one"));
    mkdirSync(join(from, "one"));
    writeFileSync(join(from, "one/inner"), "a folder now");
    chmodSync(join(from, "two"), 0o600);
    const second = sync(first.entries);
    expect(second.asked).toBe(3);
    expect(readdirSync(to, { recursive: true }).sort()).toEqual(["d", "d/three", "one", "one/inner", "two"]);
    expect(readFileSync(join(to, "d/three"), "utf8")).toBe("changed");
    rmSync(join(from, "one"), { recursive: true });
    writeFileSync(join(from, "one"), "a file again");
    sync(second.entries);
    expect(readFileSync(join(to, "one"), "utf8")).toBe("a file again");
  });

  test("is listed in the order that it is compared in", () => {
    const order = ["a", "a/b", "a/b/c", "a/b.c", "a-b", "a.b", "aa", "b"];
    expect([...order].reverse().sort(compareOrder)).toEqual(order);
  });

  test("keeps names that are not UTF-8", () => {
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.of(0xff, 0xfe)]), "odd");
    sync();
    expect(readdirSync(to, { encoding: "buffer" })[0]?.equals(Buffer.of(0xff, 0xfe))).toBe(true);
  });

  test("may be told below a prefix", () => {
    writeFileSync(join(from, "f"), "x");
    sync(undefined, "linux_amd64/");
    expect(readFileSync(join(to, "linux_amd64/f"), "utf8")).toBe("x");
  });
});

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
interface Listed {
  mode?: number;
  link?: string;
  size?: number;
}
const stat = (path: string, { mode = 0o100644, link = "", size = 0 }: Listed = {}): Uint8Array =>
  encode(packet, {
    type: packetType.stat,
    stat: { path: bytesOf(path), mode: toGoMode(mode), linkname: bytesOf(link), size },
  });
const listingEnd = encode(packet, { type: packetType.stat });
const data = (id: number, text: string): Uint8Array =>
  encode(packet, { type: packetType.data, id, data: bytesOf(text) });

describe("a hostile sender", () => {
  const refused = (messages: Uint8Array[], sentence: string): void => {
    const tree = new DiskTree(to);
    const receiver = new Receiver(tree);
    expect(() => receiver.feed(messages)).toThrow(sentence);
    receiver.abandon();
    tree.close();
  };

  test("cannot name what is not plainly below the folder", () => {
    for (const path of ["../x", "/etc/passwd", "a/../../x", "..", ".", "", "a//b", "a/", "./a", "a\0b"])
      refused([stat(path)], "the client lists");
  });

  test("cannot write through a symlink it made", () => {
    refused(
      [stat("l", { mode: 0o120777, link: "/tmp" }), stat("l/x", { size: 1 }), listingEnd, data(1, "x")],
      "changes out of order",
    );
  });

  test("cannot list a name twice, nor one whose folder it did not list", () => {
    refused([stat("a"), stat("a")], "changes out of order");
    refused([stat("d/a")], "changes out of order");
    refused([stat("f"), stat("f/a")], "changes out of order");
    refused([stat("b"), stat("a")], "changes out of order");
  });

  test("cannot hard-link what it did not send", () => {
    refused([stat("h", { link: "../../etc/shadow" }), listingEnd], "hard link");
    refused(
      [stat("a", { mode: 0o120777, link: "/etc/shadow" }), stat("h", { link: "a" }), listingEnd],
      "hard link",
    );
  });

  test("cannot send bytes that were not asked for", () => {
    refused([data(7, "x")], "invalid file request 7");
    refused([stat("a", { size: 1 }), data(0, "x"), data(0, ""), data(0, "y")], "invalid file request 0");
  });

  test("cannot list on after the end", () => {
    refused([listingEnd, stat("late")], "listing");
    refused([stat("a", { size: 1 }), listingEnd, listingEnd], "listing twice");
  });

  test("its error is told", () => {
    refused(
      [encode(packet, { type: packetType.error, data: bytesOf("disk on fire") })],
      "error from sender: disk on fire",
    );
  });

  test("a file that comes out longer than listed is not taken for known next time", () => {
    const tree = new DiskTree(to);
    const index = join(from, "index");
    const rows = newRows(index);
    const receiver = new Receiver(tree, rows);
    receiver.feed([stat("a", { size: 1 }), stat("b"), listingEnd]);
    receiver.feed([data(0, "four"), data(0, ""), data(1, "")]);
    keepRows(rows, index);
    const kept = openIndex(index);
    expect([kept?.next()?.size, kept?.next()?.size, kept?.next()]).toEqual([-1, 0, undefined]);
    kept?.close();
    tree.close();
  });
});

test("many files are asked for some at a time, each once", () => {
  const receiver = new Receiver(new MemoryTree());
  const ids = (answers: Uint8Array[]): number[] =>
    answers
      .map((each) => decode(packet, each))
      .flatMap(({ type, id }) => (type === packetType.request ? [id] : []));
  const names = Array.from({ length: 3000 }, (_, at) => `f${String(at).padStart(4, "0")}`);
  const asked = ids(receiver.feed([...names.map((name) => stat(name)), listingEnd]));
  expect(asked.length).toBeLessThan(names.length);
  for (let at = 0; at < asked.length; at++) asked.push(...ids(receiver.feed([data(asked[at] ?? -1, "")])));
  expect(asked).toEqual(names.map((_, at) => at));
});

describe("files kept in memory", () => {
  test("are found through links that stay inside", () => {
    const tree = new MemoryTree();
    new Receiver(tree).feed([
      stat("Dockerfile", { mode: 0o120777, link: "docker/../docker/real" }),
      stat("docker", { mode: 0o40755 }),
      stat("docker/real", { size: 4 }),
      stat("loop", { mode: 0o120777, link: "loop" }),
      stat("out", { mode: 0o120777, link: "../../etc/passwd" }),
      listingEnd,
      data(2, "FROM"),
      data(2, ""),
    ]);
    expect(new TextDecoder().decode(tree.read("Dockerfile"))).toBe("FROM");
    expect(tree.read("loop")).toBeUndefined();
    expect(tree.read("out")).toBeUndefined();
    expect(tree.read("docker")).toBeUndefined();
  });
});

test("modes go to Go's form and back", () => {
  for (const mode of [0o100644, 0o106755, 0o41777, 0o120777, 0o020600, 0o060600, 0o010600, 0o140755])
    expect(fromGoMode(toGoMode(mode))).toBe(mode);
  expect(fromGoMode(2 ** 31 + 0o755)).toBe(0o40755);
});
