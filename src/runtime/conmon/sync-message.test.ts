import { expect, test } from "bun:test";
import { parseSyncLine, SyncLines } from "./sync-message.ts";

test("a pid comes as one line, wherever the reads cut it", () => {
  const lines = new SyncLines();
  expect(lines.push(Buffer.from('{"data": 41'))).toEqual([]);
  expect(lines.push(Buffer.from('48}\n{"data": 3}\n'))).toEqual([{ data: 4148 }, { data: 3 }]);
});

test("a failure carries the runtime's words", () => {
  expect(parseSyncLine('{"data": -1, "message": "open \\"\\/x\\": no\\n"}')).toEqual({
    data: -1,
    message: 'open "/x": no\n',
  });
});

test("the older spelling of the pid is understood", () =>
  expect(parseSyncLine('{"pid": 7}')).toEqual({ data: 7 }));

test("words that are no message are kept as a complaint", () => {
  const lines = new SyncLines();
  expect(lines.push(Buffer.from("conmon: option parsing failed\n{broken\nend"))).toEqual([]);
  lines.end();
  expect(lines.complaint).toBe("conmon: option parsing failed\n{broken\nend");
});
