import { expect, test } from "bun:test";
import { Demultiplexer, frame, stderrStream, stdoutStream } from "./multiplex.ts";

test("a frame is a head of stream and length, then the payload", () => {
  expect([...frame(stderrStream, Buffer.from("hi"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 104, 105]);
});

test("a stream comes apart wherever its pieces are cut", () => {
  const whole = Buffer.concat([
    frame(stdoutStream, Buffer.from("out")),
    frame(stderrStream, Buffer.alloc(0)),
    frame(stderrStream, Buffer.from("error")),
  ]);
  for (let size = 1; size <= whole.length; size++) {
    const texts = ["", "", ""];
    const demultiplexer = new Demultiplexer((stream, payload) => {
      texts[stream] += Buffer.from(payload).toString();
    });
    for (let at = 0; at < whole.length; at += size) demultiplexer.push(whole.subarray(at, at + size));
    expect(texts).toEqual(["", "out", "error"]);
  }
});
