/** Answers of the API found by asking a Docker 28.5.2 the same: bodies, statuses and shapes that clients rely on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 60_000);

const ask = async (
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> => {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await engine.api(path, { method, ...init });
  const text = await response.text();
  return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
};

test("a commit's body goes before the container's own configuration, changes before both", async () => {
  await engine.ok(
    "run",
    "--name",
    "one",
    "-e",
    "X=y",
    "-l",
    "a=b",
    "--entrypoint",
    "/bin/echo",
    "busybox",
    "hi",
  );
  const body = { Env: ["X=z"], Labels: { c: "d" }, Cmd: ["x"], ExposedPorts: { "1/tcp": {} } };
  const { status } = await ask("POST", "/commit?container=one&repo=made&changes=ENV%20Q=r", body);
  expect(status).toBe(201);
  const { Config } = (await ask("GET", "/images/made/json")).json as { Config: Record<string, unknown> };
  expect(Config).toMatchObject({
    Env: ["X=z", "Q=r"],
    Labels: { a: "b", c: "d" },
    Cmd: ["x"],
    ExposedPorts: { "1/tcp": {} },
    Entrypoint: ["/bin/echo"],
  });
  expect((await ask("POST", "/commit?container=one", [])).status).toBe(400);
});

test("an exec that was never started goes with the container's life; one that ran stays", async () => {
  await engine.ok("run", "-d", "--name", "two", "--network", "none", "busybox", "sleep", "1000");
  const make = async (): Promise<string> =>
    ((await ask("POST", "/containers/two/exec", { Cmd: ["true"] })).json as { Id: string }).Id;
  const [ran, unstarted] = [await make(), await make()];
  await ask("POST", `/exec/${ran}/start`, { Detach: true });
  await engine.ok("kill", "two");
  expect((await ask("GET", `/exec/${ran}/json`)).status).toBe(200);
  expect((await ask("GET", `/exec/${unstarted}/json`)).status).toBe(404);
});

test("why a container ended is told to those who ask, and Docker's own shape to others", async () => {
  await engine.berth("run", "--name", "three", "--network", "none", "busybox", "false");
  const state = async (query: string): Promise<object> =>
    ((await ask("GET", `/containers/three/json${query}`)).json as { State: object }).State;
  expect(await state("")).not.toHaveProperty("Ended");
  expect(await state("?why=1")).toHaveProperty("Ended");
});

test("a page that is not there is answered without the API's headers", async () => {
  const { headers } = await engine.api("/nosuch");
  expect(headers.get("Api-Version")).toBeNull();
  expect((await engine.api("/containers/nosuch/json")).headers.get("Api-Version")).toBe("1.51");
});

test("a start with a configuration, as before API 1.24, is refused", async () => {
  await engine.ok("create", "--name", "four", "busybox", "true");
  const { status } = await ask("POST", "/containers/four/start", { Binds: ["/tmp:/x"] });
  expect(status).toBe(400);
});
