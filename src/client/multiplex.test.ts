import { expect, test } from "bun:test";
import { Demultiplexer } from "./multiplex.ts";

const bytes = Buffer.from("\x01\0\0\0\0\0\0\x02hi\x04\0\0\0\0\0\0\x2a", "latin1");

test("the exit code is taken from the last head, wherever the stream is cut", () => {
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames = new Demultiplexer();
    const told = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((chunk) => [...frames.push(chunk)]);
    expect(Buffer.concat(told.map((frame) => frame.bytes)).toString()).toBe("hi");
    expect(frames.exitCode).toBe(42);
  }
});

test("a stream that ends early tells no exit code", () => {
  const frames = new Demultiplexer();
  expect([...frames.push(bytes.subarray(0, -1))]).toHaveLength(1);
  expect(frames.exitCode).toBeUndefined();
});
