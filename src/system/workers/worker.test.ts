import { expect, test } from "bun:test";
import { RoleWorker } from "./worker.ts";

test("a worker ends itself, so that what it leaves is freed, and fails the calls that are open", async () => {
  const worker = new RoleWorker("volumes");
  await expect(worker.call("nosuch", {})).rejects.toThrow();
  const ended = worker.terminate();
  await expect(worker.call("nosuch", {})).rejects.toThrow("worker ended");
  expect(await ended).toBe("by itself");
});
