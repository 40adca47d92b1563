import { expect, test } from "bun:test";
import { State } from "../../state/database.ts";
import type { BuildHistoryLog, BuildHistoryRecord } from "../contract.ts";
import { BuildHistory } from "./store.ts";

test("a build that printed nothing tells nothing of one before it under the same ref", async () => {
  const history = new BuildHistory(State.inMemory());
  const record = { ref: "a", startedAt: 1, completedAt: 2, status: "completed" } as BuildHistoryRecord;
  const logs = [{}] as BuildHistoryLog[];
  await history.close(record, logs);
  expect(await history.logs("a")).toEqual(logs);
  await history.close(record, []);
  expect(await history.logs("a")).toEqual([]);
});
