import { describe, expect, test } from "bun:test";
import { encodeFrame, FrameError, FrameReader, opcode } from "./frames.ts";
import { refuseForeignOrigin, websocketKey } from "./serve.ts";

/** A client's frame: masked. */
function masked(code: number, payload: Uint8Array, first = 0x80): Buffer {
  const plain = encodeFrame(code, payload);
  plain[0] = first | code;
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = plain.length - payload.length;
  plain[1] = (plain[1] ?? 0) | 0x80;
  const body = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
  return Buffer.concat([plain.subarray(0, head), mask, body]);
}

function read(bytes: Uint8Array, step: number): { data: string; controls: [number, string][] } {
  let data = "";
  const controls: [number, string][] = [];
  const reader = new FrameReader({
    data: (piece) => {
      data += Buffer.from(piece).toString("latin1");
    },
    control: (code, payload) => controls.push([code, Buffer.from(payload).toString()]),
  });
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return { data, controls };
}

describe("a client's frames", () => {
  test("are read however they are cut, whatever their length", () => {
    const long = Buffer.alloc(70_000, "abc");
    const all = Buffer.concat([
      masked(opcode.text, Buffer.from("hi"), 0),
      masked(opcode.continuation, Buffer.alloc(300, "x")),
      masked(opcode.ping, Buffer.from("p")),
      masked(opcode.binary, Buffer.alloc(0)),
      masked(opcode.binary, long),
      masked(opcode.close, Buffer.alloc(0)),
    ]);
    for (const step of [1, 7, 4096, all.length]) {
      const { data, controls } = read(all, step);
      expect(data).toBe(`hi${"x".repeat(300)}${long.toString()}`);
      expect(controls).toEqual([
        [opcode.ping, "p"],
        [opcode.close, ""],
      ]);
    }
  });

  test("that no client may send are refused", () => {
    const plain = encodeFrame(opcode.text, Buffer.from("hi"));
    const bad = [
      Buffer.concat([plain, Buffer.alloc(8)]),
      masked(opcode.text, Buffer.from("x"), 0xc0),
      masked(5, Buffer.from("x")),
      masked(opcode.ping, Buffer.alloc(200)),
      masked(opcode.close, Buffer.from("x"), 0),
    ];
    for (const bytes of bad) expect(() => read(bytes, 3)).toThrow(FrameError);
  });
});

test("a handshake must be one, and come from no other site", () => {
  const headers = { upgrade: "websocket", "sec-websocket-key": "k", "sec-websocket-version": "13" };
  expect(websocketKey(headers)).toBe("k");
  expect(() => websocketKey({ ...headers, upgrade: "tcp" })).toThrow("not websocket protocol");
  refuseForeignOrigin({});
  refuseForeignOrigin({ origin: "http://engine:2375", host: "engine:2375" });
  expect(() => refuseForeignOrigin({ origin: "http://evil", host: "engine:2375" })).toThrow(
    "origin http://evil",
  );
});
