import { expect, test } from "bun:test";
import { encodeBatch, text } from "./codec.ts";
import { senderOf, tableMark } from "./tables.ts";

/** A packet that tells of a change of a rule in this table. */
function told(table: string): Buffer {
  const attributes = [[1, text(table)] as const, [2, text("forward")] as const];
  const packet = encodeBatch([{ what: "", type: 0x0a06, flags: 0, body: Buffer.alloc(4), attributes }], 1);
  packet.writeUInt32LE(4711, 12);
  return packet;
}

test("a packet tells whose change it is, and whether it is in a table of just that name", () => {
  expect(senderOf(told("berth-1"))).toBe(4711);
  expect(told("berth-1").includes(tableMark("berth-1"))).toBe(true);
  for (const other of ["berth-12", "berth-", "my-berth-1"])
    expect(told(other).includes(tableMark("berth-1"))).toBe(false);
});
