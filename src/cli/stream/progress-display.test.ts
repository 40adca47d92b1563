import { expect, test } from "bun:test";
import { TerminalDisplay } from "./progress-display.ts";

function display(columns: number, rows = 24) {
  let now = 0;
  const made = new TerminalDisplay(
    1,
    () => now,
    () => ({ rows, columns }),
  );
  const download = (id: string, current: number, total: number) =>
    made.drawn({ id, status: "Downloading", progressDetail: { current, total } });
  return { made, download, pass: (ms: number) => (now += ms) };
}

test("each id has a line of its own, redrawn where it is", () => {
  const { made, download } = display(200);
  expect(made.drawn({ id: "a", status: "Waiting" })).toBe("\n\x1b[1A\x1b[2K\ra: Waiting\r\x1b[1B");
  expect(made.drawn({ id: "b", status: "Waiting" })).toBe("\n\x1b[1A\x1b[2K\rb: Waiting\r\x1b[1B");
  expect(download("a", 1_000_000, 2_000_000)).toStartWith("\x1b[2A\x1b[2K\ra: Downloading [====");
  expect(made.drawn({ status: "Digest: x" })).toBe("Digest: x\n");
});

test("speed and time left are told once there is something to tell them from", () => {
  const { download, pass } = display(200);
  expect(download("a", 0, 100_000_000)).not.toContain("/s");
  pass(2000);
  expect(download("a", 20_000_000, 100_000_000)).toContain("20MB/100MB 10MB/s 8s");
  pass(100_000);
  expect(download("a", 21_000_000, 100_000_000)).toContain("206kB/s 6m24s");
});

test("a narrow terminal gets no bar, and no line that wraps", () => {
  const { download, pass } = display(60);
  download("abcdef012345", 0, 1e9);
  pass(1000);
  const drawn = download("abcdef012345", 123_456_789, 1e9);
  expect(drawn).not.toContain("=");
  expect(drawn.length).toBeLessThan(60 + 20);
});

test("a line that has left a low terminal at the top is not drawn over another", () => {
  const { made } = display(80, 3);
  for (const id of ["a", "b", "c", "d"]) made.drawn({ id, status: "Waiting" });
  expect(made.drawn({ id: "b", status: "Pull complete" })).toBe("");
  expect(made.drawn({ id: "c", status: "Pull complete" })).toBe("\x1b[2A\x1b[2K\rc: Pull complete\r\x1b[2B");
});

test("a terminal of one line shows each id once", () => {
  const { made } = display(80, 1);
  expect(made.drawn({ id: "a", status: "Waiting" })).toContain("a: Waiting");
  expect(made.drawn({ id: "b", status: "Waiting" })).toContain("b: Waiting");
  expect(made.drawn({ id: "a", status: "Pull complete" })).toBe("");
});

test("no status wraps", () => {
  expect(display(30).made.drawn({ id: "abcdef012345", status: "Verifying Checksum of it" })).toContain(
    "\rabcdef012345: Verifying Check\r",
  );
});
