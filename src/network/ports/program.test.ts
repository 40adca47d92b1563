import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { programAt, socketsOf } from "./program.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
`;

test("a listening socket is found by its port, a connection of it is not", () => {
  expect(socketsOf(table, "tcp", 8080)).toEqual(["111"]);
  expect(socketsOf(table, "tcp", 22)).toEqual(["333"]);
  expect(socketsOf(table, "tcp", 80)).toEqual([]);
});

test("the program that listens is named, and nobody is where none does", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  expect(await programAt("tcp", port)).toContain(`(pid ${process.pid})`);
  await new Promise((resolve) => server.close(resolve));
  expect(await programAt("tcp", port)).toBeUndefined();
  expect(await programAt("sctp", port)).toBeUndefined();
});
