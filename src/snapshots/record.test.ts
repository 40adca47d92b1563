import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Frame, RecordWriter, readRecord } from "./record.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-record-"));
  path = join(folder, "record");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Frames with neighbouring raw bytes joined: how they are cut is the writer's affair. */
function readJoined(): (string | [string, number, number])[] {
  const joined: (string | [string, number, number])[] = [];
  for (const frame of readRecord(path) as Iterable<Frame>) {
    const last = joined.at(-1);
    if (frame.path !== undefined) joined.push([frame.path, frame.offset, frame.length]);
    else if (typeof last === "string") joined[joined.length - 1] = last + frame.bytes.toString("latin1");
    else joined.push(frame.bytes.toString("latin1"));
  }
  return joined;
}

test("raw bytes and file parts come back in order, over many blocks", () => {
  const expected: (string | [string, number, number])[] = [];
  const writer = new RecordWriter(path);
  for (let index = 0; index < 2000; index++) {
    const text = String(index).padEnd(index % 700, "ÿ");
    writer.raw(Buffer.from(text, "latin1"));
    writer.file(`dir/\xff${"n".repeat(index)}`, index, 2 ** 40 + index);
    expected.push(text, [`dir/\xff${"n".repeat(index)}`, index, 2 ** 40 + index]);
  }
  const big = "z".repeat(1_000_000);
  writer.raw(Buffer.from(big));
  writer.finish();
  expect(readJoined()).toEqual([...expected, big]);
  expect(writer.fileFrames).toBe(2000);
});

test("an empty record is no frames", () => {
  new RecordWriter(path).finish();
  expect(readJoined()).toEqual([]);
});

test("a record that was cut is told", () => {
  const writer = new RecordWriter(path);
  writer.raw(new Uint8Array(100_000));
  writer.finish();
  writeFileSync(path, readFileSync(path).subarray(0, 20));
  expect(readJoined).toThrow(/is damaged/);
});
