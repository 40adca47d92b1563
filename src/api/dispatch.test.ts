import { expect, test } from "bun:test";
import { EngineError, wrap } from "../lib/errors.ts";
import { silentLogger } from "../lib/log.ts";
import { ClientLeft } from "./body.ts";
import { ask, told } from "./testing/ask.ts";
import { fakeEngine } from "./testing/fake-engine.ts";

const engine = fakeEngine();

test("a version that is too new or too old is refused in Docker's words", async () => {
  expect(told(await ask(engine, "GET /v1.99/version"))).toEqual({
    status: 400,
    message: "client version 1.99 is too new. Maximum supported API version is 1.51",
  });
  const old = await ask(engine, "GET /v1.20/version");
  expect(old).toMatchObject({ kind: "text", status: 400 });
  expect(old.kind === "text" && old.text).toBe(
    "client version 1.20 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n",
  );
  expect(await ask(engine, "GET /v1.24/version")).toMatchObject({ kind: "json", status: 200 });
  expect(await ask(engine, "GET /v1.51/version")).toMatchObject({ kind: "json", status: 200 });
});

test("what is no endpoint, and an endpoint by another method, is a page not found", async () => {
  for (const line of [
    "GET /",
    "GET /nosuch",
    "GET /v1.41/nosuch",
    "GET /containers",
    "POST /version",
    "HEAD /version",
    "GET /v1.x/version",
    "GET /containers/json/",
  ])
    expect({ line, ...told(await ask(engine, line)) }).toEqual({
      line,
      status: 404,
      message: "page not found",
    });
});

test("a path in another spelling is redirected to the clean one, and a broken one refused", async () => {
  expect(await ask(engine, "GET //version")).toMatchObject({
    status: 301,
    headers: { Location: "/version" },
  });
  expect(await ask(engine, "GET /containers/../version?a=1")).toMatchObject({
    status: 301,
    headers: { Location: "/version?a=1" },
  });
  expect(await ask(engine, "GET /containers/a%zzb/json")).toMatchObject({ kind: "text", status: 400 });
});

test("a proxy's target names the host, and a query that Go cannot read is refused where it is read", async () => {
  expect(await ask(engine, "GET http://docker/v1.41/_ping")).toMatchObject({ status: 200, text: "OK" });
  expect(await ask(engine, "GET /v1.41/../version")).toMatchObject({
    status: 301,
    headers: { Location: "/version" },
  });
  expect(await ask(engine, "GET /_ping?a;b&%zz")).toMatchObject({ status: 200 });
  expect(told(await ask(engine, "GET /containers/json?all=1;limit=1")).message).toBe(
    "invalid semicolon separator in query",
  );
  expect(told(await ask(engine, "GET /containers/json?all=%zz")).message).toBe('invalid URL escape "%zz"');
});

test("a name may be empty or hold slashes, what only a swarm has is one part of the path", async () => {
  expect(told(await ask(engine, "GET /nodes/x")).status).toBe(503);
  expect(told(await ask(engine, "GET /nodes/x/y")).message).toBe("page not found");
  expect(told(await ask(engine, "DELETE /plugins/a/b")).message).toBe('plugin "a/b" not found');
});

test("OPTIONS is answered for any path, but not for any version", async () => {
  expect(await ask(engine, "OPTIONS /nosuch")).toEqual({ kind: "empty", status: 200 });
  expect(told(await ask(engine, "OPTIONS /v1.99/nosuch")).status).toBe(400);
});

test("each kind of error has its status, a fault without a kind is a 500, and the reply is Docker's", async () => {
  const kinds = {
    invalid: 400,
    unauthorized: 401,
    forbidden: 403,
    notFound: 404,
    conflict: 409,
    tooLarge: 413,
    notImplemented: 501,
    unavailable: 503,
    internal: 500,
  } as const;
  for (const [kind, status] of Object.entries(kinds)) {
    const failing = fakeEngine({
      containers: {
        pause: async () => {
          throw new EngineError(kind as keyof typeof kinds, "why");
        },
      },
    });
    expect(told(await ask(failing, "POST /containers/x/pause"))).toEqual({ status, message: "why" });
  }
  const broken = fakeEngine({
    containers: {
      pause: async () => {
        throw new TypeError("oops");
      },
    },
  });
  expect(told(await ask(broken, "POST /containers/x/pause"))).toEqual({ status: 500, message: "oops" });
});

test("a client that leaves in its request is no fault for the log, a host that fails is one", async () => {
  const logged: unknown[] = [];
  const logger = { ...silentLogger, error: (text: string) => logged.push(text) };
  const pausing = (error: Error) =>
    ask(
      { ...fakeEngine({ containers: { pause: () => Promise.reject(error) } }), logger },
      "POST /containers/x/pause",
    );
  await pausing(wrap("load image", new ClientLeft(undefined)));
  expect(logged).toEqual([]);
  await pausing(new Error("disk full"));
  expect(logged.length).toBe(1);
});

test("what is already so is a 304 without a body", async () => {
  const running = fakeEngine({
    containers: {
      start: async () => {
        throw new EngineError("notModified", "runs");
      },
    },
  });
  expect(await ask(running, "POST /containers/x/start")).toEqual({ kind: "empty", status: 304 });
});

test("outside of a swarm its endpoints answer as Docker's do", async () => {
  for (const line of [
    "GET /swarm",
    "GET /nodes",
    "GET /nodes/x",
    "POST /secrets/create",
    "GET /tasks",
    "POST /configs/x/update?version=1",
  ])
    expect(told(await ask(engine, line)).status).toBe(503);
  expect(told(await ask(engine, "POST /configs/x/update"))).toEqual({
    status: 400,
    message: "invalid config version",
  });
  expect(told(await ask(engine, "GET /services/x/logs")).message).toBe(
    "Bad parameters: you must choose at least one stream",
  );
  expect(told(await ask(engine, "POST /swarm/leave")).message).toBe("This node is not part of a swarm");
  expect(told(await ask(engine, "POST /swarm/init")).status).toBe(501);
});

test("what is not built yet says so by its name", async () => {
  expect(told(await ask(engine, "POST /plugins/pull"))).toEqual({
    status: 501,
    message: "POST /plugins/pull is not built yet in berth",
  });
});
