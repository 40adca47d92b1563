import { expect, test } from "bun:test";
import type { BuildEvent } from "../../build/contract.ts";
import { ClassicText } from "./classic-text.ts";

const told = (text: ClassicText, ...events: BuildEvent[]): string =>
  events
    .flatMap((event) => text.event(event))
    .map(({ stream, aux }) => stream ?? JSON.stringify(aux))
    .join("")
    .replace(/[0-9a-f]{12}/g, "ID");

const begin = (name: string): BuildEvent => ({
  kind: "classic",
  classic: { at: "begin", number: 1, total: 2, name, text: name.toUpperCase() },
});
const done = (name: string, cached: boolean): BuildEvent => ({
  kind: "classic",
  classic: { at: "done", name, cached },
});
const started: BuildEvent = {
  kind: "vertex",
  vertex: { digest: "sha256:0", inputs: [], name: "RUN", line: 2, started: 1, cached: false },
};
const log = (stream: 1 | 2, data: string | number[]): BuildEvent => ({
  kind: "log",
  vertex: "sha256:0",
  stream,
  data: typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data),
  time: 1,
});

test("a RUN is running before its output, and removed after it", () => {
  const text = new ClassicText({ removes: true, removesFailed: false });
  expect(told(text, begin("run"), started, log(1, "a\n"), log(2, "b\n"), done("run", false))).toBe(
    "Step 1/2 : RUN\n ---> Running in ID\na\n\u001b[91mb\n\u001b[0m ---> Removed intermediate container ID\n",
  );
});

test("nothing runs for a COPY or for what is cached", () => {
  const text = new ClassicText({ removes: true, removesFailed: false });
  expect(told(text, begin("copy"), started, done("copy", false))).toBe("Step 1/2 : COPY\n");
  expect(told(text, begin("env"), done("env", true))).toBe("Step 1/2 : ENV\n ---> Using cache\n");
});

test("a character cut in two by the output's pieces stays whole", () => {
  const text = new ClassicText({ removes: true, removesFailed: false });
  expect(told(text, begin("run"), log(1, [0xc3]), log(1, [0xa9]))).toBe("Step 1/2 : RUN\né");
});

test("a failed step's container is removed only where that was asked for", () => {
  for (const removesFailed of [false, true]) {
    const text = new ClassicText({ removes: true, removesFailed });
    told(text, begin("run"), started);
    const messages = text.failure(new Error("no"));
    expect(messages).toHaveLength(removesFailed ? 2 : 1);
    expect(messages.at(-1)).toEqual({ error: "no", errorDetail: { message: "no" } });
  }
});
