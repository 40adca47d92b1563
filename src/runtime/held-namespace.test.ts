import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { closePidfd, openPidfd } from "../system/process/signals.ts";
import { holdNamespace } from "./held-namespace.ts";

test("a held namespace is the process's", () => {
  const pidfd = openPidfd(process.pid);
  const held = holdNamespace({ pid: process.pid, pidfd }, "uts", "x");
  expect(readlinkSync(held.path)).toBe(readlinkSync("/proc/self/ns/uts"));
  held.close();
  if (pidfd !== undefined) closePidfd(pidfd);
});

test("a process that took over the number of one that ended is not joined", async () => {
  const ended = Bun.spawn(["true"]);
  const pidfd = openPidfd(ended.pid);
  await ended.exited;
  expect(pidfd).toBeDefined();
  // our own number stands for the one that was given away again
  expect(() => holdNamespace({ pid: process.pid, pidfd }, "ipc", "x")).toThrow("container x is not running");
  expect(() => holdNamespace({ pid: ended.pid, pidfd }, "ipc", "x")).toThrow("container x is not running");
  if (pidfd !== undefined) closePidfd(pidfd);
});
