import { ptr } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindLibc, check } from "../libc.ts";
import { isAccepted } from "./accepted.ts";
import { connectSeqpacket } from "./sockets.ts";

const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  accept: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});
const folder = mkdtempSync(join(tmpdir(), "berth-accepted-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a connection was accepted when the other end took it, not when it was made", () => {
  const path = join(folder, "s");
  const address = Buffer.alloc(110); // struct sockaddr_un
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  const listener = check(libc.socket(1, 5, 0), "socket"); // AF_UNIX, SOCK_SEQPACKET
  check(libc.bind(listener, ptr(address), address.length), "bind");
  check(libc.listen(listener, 4), "listen");
  const ours = connectSeqpacket(path);
  expect(isAccepted(ours)).toBe(false);
  const theirs = check(libc.accept(listener, null, null), "accept");
  expect(isAccepted(ours)).toBe(true);
  closeSync(theirs);
  expect(isAccepted(ours)).toBe(false);
  for (const fd of [ours, listener]) closeSync(fd);
});
