import { expect, test } from "bun:test";
import { State } from "../../state/database.ts";
import { explain } from "../cache/explain.ts";
import { chainOf, keyOf } from "../cache/key.ts";
import { CacheStore } from "../cache/store.ts";
import { EventQueue } from "./event-queue.ts";
import { SharedSteps, type StepListener, type StepResult } from "./shared-steps.ts";

const result: StepResult = {
  layer: "sha256:1",
  created: "2026-01-01T00:00:00Z",
  usage: { cpuMs: 0, peakMemory: 0, bytesAdded: 0 },
};

function listener(): StepListener & { heard: string[]; abort: AbortController } {
  const abort = new AbortController();
  const heard: string[] = [];
  const output = (_stream: 1 | 2, data: Uint8Array): void => void heard.push(Buffer.from(data).toString());
  return { abort, signal: abort.signal, heard, output };
}

/** A step that ends when it is told to. */
function held() {
  let finish: () => void = () => undefined;
  const state = { runs: 0, aborted: false, finish: () => finish() };
  const step = async (output: (stream: 1 | 2, data: Uint8Array) => Promise<void>, signal: AbortSignal) => {
    state.runs++;
    await output(1, Buffer.from("begun"));
    await new Promise<void>((resolve, reject) => {
      finish = resolve;
      signal.addEventListener("abort", () => {
        state.aborted = true;
        reject(signal.reason);
      });
    });
    return result;
  };
  return { state, step };
}

test("builds that need the same step share one run, and hear what it said before they came", async () => {
  const steps = new SharedSteps();
  const { state, step } = held();
  const [one, two] = [listener(), listener()];
  const first = steps.run("k", one, step);
  await Bun.sleep(0);
  const second = steps.run("k", two, step);
  await Bun.sleep(0);
  state.finish();
  expect(await Promise.all([first, second])).toEqual([result, result]);
  expect([state.runs, one.heard, two.heard]).toEqual([1, ["begun"], ["begun"]]);
  expect(steps.has("k")).toBe(false);
});

test("a step goes on while one build wants it, and ends with the last", async () => {
  const steps = new SharedSteps();
  const { state, step } = held();
  const [one, two] = [listener(), listener()];
  const first = steps.run("k", one, step);
  const second = steps.run("k", two, step);
  await Bun.sleep(0);
  one.abort.abort(new Error("one left"));
  await expect(first).rejects.toThrow("one left");
  expect(state.aborted).toBe(false);
  two.abort.abort(new Error("two left"));
  await expect(second).rejects.toThrow("two left");
  expect([state.aborted, steps.has("k")]).toEqual([true, false]);
});

test("output waits for a slow reader, facts do not", async () => {
  const queue = new EventQueue();
  const log = { kind: "log", vertex: "v", stream: 1, data: new Uint8Array(2 << 20), time: 0 } as const;
  let through = false;
  const writing = queue.output(log).then(() => {
    through = true;
  });
  await Bun.sleep(0);
  expect(through).toBe(false);
  const reader = queue[Symbol.asyncIterator]();
  expect((await reader.next()).value?.kind).toBe("log");
  await writing;
  queue.end();
  expect((await reader.next()).done).toBe(true);
});

test("a reader that leaves holds nobody back", async () => {
  const queue = new EventQueue();
  const log = { kind: "log", vertex: "v", stream: 1, data: new Uint8Array(2 << 20), time: 0 } as const;
  const writing = queue.output(log);
  const reader = queue[Symbol.asyncIterator]();
  await reader.next();
  await reader.return?.(undefined);
  await writing;
  await queue.output(log);
});

test("a key does not depend on the order of its parts, but on each of them", () => {
  expect(keyOf("run", { a: "1", b: "2" })).toBe(keyOf("run", { b: "2", a: "1" }));
  expect(keyOf("run", { a: "1" })).not.toBe(keyOf("copy", { a: "1" }));
  expect(keyOf("run", { a: "1" })).not.toBe(keyOf("run", { a: "2" }));
  expect(chainOf(["x", "y"])).not.toBe(chainOf(["y", "x"]));
});

test("a miss is explained by what differs", () => {
  const before = { command: "make", "env.A": "1", "env.B": "1", base: "x" };
  const now = { command: "make", "env.A": "2", "env.C": "1", base: "x" };
  expect(explain(now, before, "")).toEqual([
    "the variable A (ARG or ENV) differs",
    "the variable B (ARG or ENV) is gone",
    "the variable C (ARG or ENV) is new",
  ]);
  expect(explain({ base: "y" }, { base: "x" }, "the base image b")).toEqual(["the base image b differs"]);
  const steps = { base: "x", steps: "1" };
  expect(explain({ base: "x", steps: "2" }, steps, "b")).toEqual([
    "b has the same files, but was made by other instructions",
  ]);
  expect(explain({ base: "y", steps: "2" }, steps, "b")).toEqual(["b differs"]);
  expect(explain(now, now, "")).toEqual(["its earlier result is no longer in the cache"]);
  expect(explain(now, undefined, "")).toEqual(["no earlier build has a step like it"]);
});

test("the cache finds the nearest earlier step: the same instruction, else the same place", () => {
  const store = new CacheStore(State.inMemory());
  const entry = { kind: "run", description: "", parents: [], layer: "l", created: "", files: [] };
  store.put({ ...entry, key: "1", parts: { command: "a" }, family: "a", position: "one p" });
  store.put({ ...entry, key: "2", parts: { command: "b" }, family: "b", position: "one q" });
  const nearest = (family: string, position: string, project = "one") =>
    store.nearest({ family, position: `${project} ${position}`, project });
  expect(nearest("b", "p")).toEqual({ command: "b" });
  expect(nearest("c", "p")).toEqual({ command: "a" });
  expect(nearest("c", "r")).toBeUndefined();
  expect(nearest("b", "p", "other")).toEqual({ command: "b" });
  store.put({ ...entry, key: "3", parts: { command: "d" }, family: "b", position: "other p" });
  expect(nearest("b", "q")).toEqual({ command: "b" });
  expect(nearest("b", "p", "other")).toEqual({ command: "d" });
  store.remove(["3"]);
  store.touch(["1"]);
  expect(store.all().map(({ key, uses }) => [key, uses])).toContainEqual(["1", 2]);
  store.remove(["1", "2"]);
  expect(store.get("1")).toBeUndefined();
});
