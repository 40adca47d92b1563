import { expect, test } from "bun:test";
import { runCommand } from "./process.ts";

test("a command that says too much is read to its end, and its beginning kept", async () => {
  const { exitCode, stdout, stderr } = await runCommand([
    "sh",
    "-c",
    "echo start; head -c 3000000 /dev/zero; echo oops >&2; exit 3",
  ]);
  expect(exitCode).toBe(3);
  expect(stdout.length).toBe(65_536);
  expect(stdout).toStartWith("start\n");
  expect(stderr).toBe("oops\n");
});

test("as much as is asked for is kept, so that a machine's processes are all seen", async () => {
  const { stdout } = await runCommand(["head", "-c", "100000", "/dev/zero"], 5000, { keptMax: 90_000 });
  expect(stdout.length).toBe(90_000);
});

test("a command that is not there is told by its name", () => {
  expect(runCommand(["/no/such/command"])).rejects.toThrow("run /no/such/command");
});

test("a command in a session of its own ends at its time limit", async () => {
  const { exitCode } = await runCommand(["sh", "-c", "sleep 300 & wait"], 1, { session: true });
  expect(exitCode).toBe(137);
});
