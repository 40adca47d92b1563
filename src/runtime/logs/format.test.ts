import { describe, expect, test } from "bun:test";
import { type FormatOptions, LogFormatter } from "./format.ts";

const plain: FormatOptions = { stdout: true, stderr: true, timestamps: false, terminal: true, follow: false };
const stamp = (second: number): string =>
  `2026-11-22T05:37:${String(second).padStart(2, "0")}.000000001+00:00`;
const line = (second: number, stream: string, tag: string, text: string): string =>
  `${stamp(second)} ${stream} ${tag} ${text}\n`;

/** Formats `log` in pieces of `size` bytes. */
function format(log: string, options: Partial<FormatOptions> = {}, size = 1_000_000): string {
  const formatter = new LogFormatter({ ...plain, ...options });
  const bytes = Buffer.from(log, "latin1");
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    pieces.push(Buffer.from(formatter.push(bytes.subarray(at, at + size))));
  pieces.push(Buffer.from(formatter.end()));
  return Buffer.concat(pieces).toString("latin1");
}

const sample =
  line(1, "stdout", "F", "one") +
  line(2, "stderr", "F", "") +
  line(3, "stdout", "P", "be") +
  line(4, "stderr", "F", "between") +
  line(5, "stdout", "F", "gun\0\r") +
  line(6, "stdout", "P", "no end");

describe("the formatter", () => {
  test("tells lines in the order they were ended, wherever the reads cut them", () => {
    const expected = "one\n\nbetween\nbegun\0\r\nno end";
    for (const size of [1, 7, 45, 46, 1000]) expect(format(sample, {}, size)).toBe(expected);
  });

  test("selects a stream", () => expect(format(sample, { stdout: false })).toBe("\nbetween\n"));

  test("frames each line of a short log by itself", () => {
    const log = line(1, "stdout", "F", "a") + line(1, "stdout", "F", "b");
    expect(format(log, { terminal: false })).toBe("\x01\0\0\0\0\0\0\x02a\n\x01\0\0\0\0\0\0\x02b\n");
  });

  test("lets lines share frames in the bulk of a long log, but never while following", () => {
    const log = line(1, "stdout", "F", "x".repeat(100)).repeat(5000);
    const frames = (text: string): number => text.split("\x01\0\0\0").length - 1;
    expect(frames(format(log, { terminal: false }))).toBeLessThan(1000);
    expect(frames(format(log, { terminal: false, follow: true }))).toBe(5000);
  });

  test("puts one timestamp and the details before each line of the process", () => {
    const log =
      line(1, "stdout", "P", "x".repeat(9000)) +
      line(2, "stdout", "P", "y".repeat(9000)) +
      line(3, "stdout", "F", "z");
    const text = format(log, { timestamps: true, details: "a=b" });
    expect(text).toBe(`2026-11-22T05:37:02.000000001Z a=b ${"x".repeat(9000)}${"y".repeat(9000)}z\n`);
  });

  test("puts them before a last line that was never ended too, with the time of its last piece", () => {
    const log =
      line(1, "stdout", "F", "a") +
      line(2, "stderr", "P", "b") +
      line(3, "stdout", "P", "c") +
      line(4, "stdout", "P", "d");
    const text = format(log, { timestamps: true, details: "k=v" });
    const time = (second: number): string => `2026-11-22T05:37:0${second}.000000001Z k=v`;
    expect(text).toBe(`${time(1)} a\n${time(4)} cd${time(2)} b`);
  });

  test("tells a time of another zone in UTC", () => {
    const log = "2026-11-22T07:37:01.000000001+02:00 stdout F a\n";
    expect(format(log, { timestamps: true })).toBe("2026-11-22T05:37:01.000000001Z a\n");
  });

  test("keeps to a span of time, both ends in it", () => {
    const second = (count: number): bigint => BigInt(Date.UTC(2026, 10, 22, 5, 37, count)) * 1_000_000n + 1n;
    const log = [1, 2, 3, 4].map((count) => line(count, "stdout", "F", String(count))).join("");
    expect(format(log, { sinceNs: second(2), untilNs: second(3) })).toBe("2\n3\n");
  });

  test("skips what is no line of conmon's", () =>
    expect(format(`rubbish\n${line(1, "stdout", "F", "a")}${"x".repeat(60)}\n\n`)).toBe("a\n"));

  test("needs no newline at 20 MB", () => {
    const log = line(1, "stdout", "P", "x".repeat(8192)).repeat(2500);
    expect(format(log).length).toBe(8192 * 2500);
  });
});
