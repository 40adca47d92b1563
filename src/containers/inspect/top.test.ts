import { expect, test } from "bun:test";
import { readTable } from "./top.ts";

const said = "UID   PID  PPID CMD\nroot    1     0 /sbin/init\nroot   77     1 sleep 60 more\n";

test("only the container's processes are told, the last column with all its words", () => {
  expect(readTable(said, new Set(["77"]))).toEqual({
    Titles: ["UID", "PID", "PPID", "CMD"],
    Processes: [["root", "77", "1", "sleep 60 more"]],
  });
});

test("a table without pids cannot be told apart", () => {
  expect(() => readTable("CMD\nsleep\n", new Set(["77"]))).toThrow("Couldn't find PID field in ps output");
});
