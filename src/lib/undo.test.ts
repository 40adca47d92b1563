import { expect, test } from "bun:test";
import { Undo } from "./undo.ts";

test("steps are taken back last first, and a failing one is told without stopping the others", async () => {
  const done: string[] = [];
  const said: string[] = [];
  const undo = new Undo();
  undo.add("one", () => done.push("one"));
  undo.add("two", () => {
    throw new Error("stuck");
  });
  undo.add("three", async () => {
    done.push("three");
  });
  await undo.run((sentence) => said.push(sentence));
  expect(done).toEqual(["three", "one"]);
  expect(said).toEqual(["undo two: stuck"]);
});

test("what was dropped stays done", async () => {
  const done: string[] = [];
  const undo = new Undo();
  undo.add("one", () => done.push("one"));
  undo.drop();
  await undo.run(() => undefined);
  expect(done).toEqual([]);
});
