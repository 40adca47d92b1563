import { expect, test } from "bun:test";
import type { CreateRequest, ListRequest } from "../../../containers/contract.ts";
import { ask, told } from "../../testing/ask.ts";
import { fakeEngine } from "../../testing/fake-engine.ts";

function recording() {
  const calls: unknown[][] = [];
  const record =
    (name: string, result?: unknown) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      return result;
    };
  const engine = fakeEngine({
    containers: {
      list: record("list", []),
      create: record("create", { Id: "1", Warnings: [] }),
      stop: record("stop"),
      kill: record("kill"),
      remove: record("remove"),
      clearLogs: record("clearLogs"),
      resize: record("resize"),
      wait: () => ({ done: Promise.resolve({ StatusCode: 3 }) }),
    },
  });
  return { engine, calls };
}

test("create passes name, platform and the body, and answers 201", async () => {
  const { engine, calls } = recording();
  const reply = await ask(engine, "POST /containers/create?name=web&platform=linux/arm64", {
    image: "busybox",
    cmd: "sh",
    hostconfig: { memory: 5, Unknown: 1 },
  });
  expect(reply).toEqual({ kind: "json", status: 201, value: { Id: "1", Warnings: [] } });
  expect(calls).toEqual([
    [
      "create",
      {
        name: "web",
        platform: "linux/arm64",
        body: { Image: "busybox", Cmd: ["sh"], HostConfig: { Memory: 5 } },
      },
    ],
  ]);
});

test("create refuses an empty body, one without a configuration, and one of another type", async () => {
  const { engine, calls } = recording();
  const line = "POST /containers/create";
  const json = { "content-type": "application/json" };
  expect(told(await ask(engine, line, "", json)).message).toBe(
    "invalid JSON: got EOF while reading request body",
  );
  expect(told(await ask(engine, line, "{}")).message).toBe(
    "config cannot be empty in order to create a container",
  );
  expect(told(await ask(engine, line, "{}", { "content-type": "text/plain" })).message).toBe(
    "unsupported Content-Type header (text/plain): must be 'application/json'",
  );
  expect(calls).toEqual([]);
});

test("a body larger than the limit is refused before it is read", async () => {
  const { engine } = recording();
  const headers = { "content-type": "application/json", "content-length": String(1 << 30) };
  expect(told(await ask(engine, "POST /containers/create", "{}", headers)).status).toBe(413);
  const chunked = {
    "content-type": "application/json",
    "content-length": "",
    "transfer-encoding": "chunked",
  };
  const body = `{"Image":"${"x".repeat(9 << 20)}"}`;
  expect(told(await ask(engine, "POST /containers/create", body, chunked)).status).toBe(413);
});

test("a header that is no media type is told from one that names another", async () => {
  const { engine } = recording();
  for (const [type, sentence] of [
    ["", "malformed Content-Type header (): mime: no media type"],
    ["application/", "malformed Content-Type header (application/): mime: expected token after slash"],
    [
      "application/json;x",
      "malformed Content-Type header (application/json;x): mime: invalid media parameter",
    ],
    ["text/json; a=b", "unsupported Content-Type header (text/json; a=b): must be 'application/json'"],
  ] as const)
    expect(
      told(await ask(engine, "POST /containers/create", { Image: "x" }, { "content-type": type })).message,
    ).toBe(sentence);
  const named = { "content-type": 'application/JSON; charset="utf-8"' };
  expect(await ask(engine, "POST /containers/create", { Image: "x" }, named)).toMatchObject({ status: 201 });
});

test("older clients create what today's would have to ask for", async () => {
  const { engine, calls } = recording();
  await ask(engine, "POST /v1.39/containers/create", { Image: "x", HostConfig: { ConsoleSize: [1, 2] } });
  const { body } = (calls[0]?.[1] ?? {}) as CreateRequest;
  expect(body.HostConfig).toEqual({ ConsoleSize: [0, 0], CgroupnsMode: "host", IpcMode: "shareable" });
});

test("list reads its flags and refuses unknown filters and bad limits", async () => {
  const { engine, calls } = recording();
  await ask(
    engine,
    `GET /containers/json?all=1&size=False&limit=2&filters=${encodeURIComponent('{"name":{"a":true}}')}`,
  );
  expect(calls[0]?.[1] as ListRequest).toEqual({
    all: true,
    size: false,
    why: false,
    limit: 2,
    filters: new Map([["name", ["a"]]]),
  });
  expect(told(await ask(engine, "GET /containers/json?limit=x"))).toEqual({
    status: 500,
    message: 'strconv.Atoi: parsing "x": invalid syntax',
  });
  expect(told(await ask(engine, 'GET /containers/json?filters={"nosuch":["1"]}'))).toEqual({
    status: 400,
    message: "invalid filter 'nosuch'",
  });
});

test("stop passes time and signal, the signal only from API 1.42 on", async () => {
  const { engine, calls } = recording();
  await ask(engine, "POST /containers/x/stop?t=-1&signal=INT");
  await ask(engine, "POST /v1.41/containers/x/stop?signal=INT");
  expect(calls).toEqual([
    ["stop", "x", { timeoutS: -1, signal: "INT" }],
    ["stop", "x", {}],
  ]);
});

test("kill without a signal kills, remove reads its flags, and ids may hold slashes", async () => {
  const { engine, calls } = recording();
  await ask(engine, "POST /containers/x/kill");
  await ask(engine, "DELETE /containers/x%2Fy?v=1&force=true");
  expect(calls).toEqual([
    ["kill", "x", "SIGKILL"],
    ["remove", "x/y", { force: true, volumes: true, link: false }],
  ]);
});

test("resize needs both sides as unsigned numbers", async () => {
  const { engine, calls } = recording();
  expect(told(await ask(engine, "POST /containers/x/resize")).message).toBe(
    'invalid resize height "": invalid syntax',
  );
  expect(told(await ask(engine, "POST /containers/x/resize?h=-1&w=2")).message).toBe(
    'invalid resize height "-1": value out of range',
  );
  await ask(engine, "POST /containers/x/resize?h=24&w=80");
  expect(calls).toEqual([["resize", "x", { height: 24, width: 80 }]]);
});

test("wait answers later, and refuses a condition it does not know", async () => {
  const { engine } = recording();
  const reply = await ask(engine, "POST /containers/x/wait?condition=next-exit");
  expect(reply.kind).toBe("later");
  expect(reply.kind === "later" && (await reply.value)).toEqual({ StatusCode: 3 });
  expect(told(await ask(engine, "POST /containers/x/wait?condition=x")).message).toBe(
    'invalid condition: "x"',
  );
});

test("a log is thrown away by DELETE, and a link named logs is not taken for one", async () => {
  const { engine, calls } = recording();
  expect(await ask(engine, "DELETE /containers/web/logs")).toEqual({ kind: "empty", status: 204 });
  await ask(engine, "DELETE /containers/web/logs?link=1");
  await ask(engine, "DELETE /containers/web");
  expect(calls.map(([name, id]) => [name, id])).toEqual([
    ["clearLogs", "web"],
    ["remove", "web/logs"],
    ["remove", "web"],
  ]);
});
