import { expect, test } from "bun:test";
import { ask, told } from "../../testing/ask.ts";
import { fakeEngine } from "../../testing/fake-engine.ts";

function recording() {
  const calls: unknown[][] = [];
  const engine = fakeEngine({
    containers: {
      stats: {
        once: async (...args: unknown[]) => {
          calls.push(["once", ...args]);
          return { num_procs: 0 };
        },
        follow: async function* (id: string) {
          calls.push(["follow", id]);
          yield { name: `/${id}`, cpu_stats: { system_cpu_usage: 9223372036854771712n } };
          yield { name: `/${id}` };
        },
      },
      update: async (...args: unknown[]) => {
        calls.push(["update", ...args]);
        return { Warnings: null };
      },
    },
  } as unknown as Parameters<typeof fakeEngine>[0]);
  return { engine, calls };
}

test("stats are streamed as lines unless they are asked for once", async () => {
  const { engine, calls } = recording();
  const reply = await ask(engine, "GET /containers/c/stats");
  if (reply.kind !== "stream") throw new Error("not a stream");
  const lines: string[] = [];
  for await (const line of reply.body as AsyncIterable<string>) lines.push(line);
  expect(lines).toEqual([
    '{"name":"/c","cpu_stats":{"system_cpu_usage":9223372036854771712}}\n',
    '{"name":"/c"}\n',
  ]);
  expect((await ask(engine, "GET /containers/c/stats?stream=0&one-shot=1")).kind).toBe("json");
  await ask(engine, "GET /v1.40/containers/c/stats?stream=false&one-shot=1");
  expect(calls).toEqual([
    ["follow", "c"],
    ["once", "c", { oneShot: true }],
    ["once", "c", { oneShot: false }],
  ]);
});

test("a stream of one sample is a contradiction", async () => {
  const { engine } = recording();
  expect(told(await ask(engine, "GET /containers/c/stats?one-shot=1"))).toEqual({
    status: 400,
    message: "cannot have stream=true and one-shot=true",
  });
});

test("update takes a body with its types checked, or none", async () => {
  const { engine, calls } = recording();
  const limits = { memory: 5, PidsLimit: 3, RestartPolicy: { Name: "no" }, Unknown: 1 };
  await ask(engine, "POST /containers/c/update", limits);
  await ask(engine, "POST /v1.39/containers/c/update", { PidsLimit: 3 });
  await ask(engine, "POST /containers/c/update");
  expect(calls).toEqual([
    ["update", "c", { Memory: 5, PidsLimit: 3, RestartPolicy: { Name: "no" } }],
    ["update", "c", {}],
    ["update", "c", {}],
  ]);
  expect(told(await ask(engine, "POST /containers/c/update", { Memory: "x" })).message).toBe(
    "invalid JSON: json: cannot unmarshal string into Go struct field UpdateConfig.Memory of type int64",
  );
});
