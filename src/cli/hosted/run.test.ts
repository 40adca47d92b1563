import { expect, test } from "bun:test";
import type { HttpRequest, HttpResponse } from "../../client/http.ts";
import type { HostedCommand } from "../../lib/wire/hosted-command.ts";
import { type Outcome, runHosted } from "./run.ts";

const command = (args: readonly string[], variables: Record<string, string> = {}): HostedCommand => ({
  build: "",
  folder: "/home/me",
  terminals: [false, false, false],
  window: { rows: 0, columns: 0 },
  variables: new Map(Object.entries({ HOME: "/home/me", ...variables })),
  args,
});

interface Run {
  outcome: Outcome;
  requests: string[];
  bodies: unknown[];
  written: string;
  faults: unknown[];
}

/** Runs it on an engine that answers the same to everything. */
async function run(line: HostedCommand, status = 200, value: unknown = {}): Promise<Run> {
  const seen: Omit<Run, "outcome"> = { requests: [], bodies: [], written: "", faults: [] };
  const exchange = async ({ method, path, body }: HttpRequest): Promise<HttpResponse> => {
    seen.requests.push(`${method} ${path}`);
    if (typeof body === "string") seen.bodies.push(JSON.parse(body));
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const headers = { "content-type": "application/json" };
    return {
      status,
      headers,
      keepAlive: true,
      body: (async function* () {
        yield bytes;
      })(),
    };
  };
  const outcome = await runHosted(line, {
    exchange,
    write: (_fd, data) => {
      seen.written += typeof data === "string" ? data : new TextDecoder().decode(data);
    },
    fault: (error) => seen.faults.push(error),
  });
  return { outcome, ...seen };
}

test("a relative path is of the caller's folder", async () => {
  const { outcome, bodies } = await run(command(["create", "-v", "./data:/d", "busybox"]), 201, { Id: "1" });
  expect(outcome).toEqual({ code: 0 });
  expect(bodies).toMatchObject([{ HostConfig: { Binds: ["/home/me/data:/d"] } }]);
});

test.each([
  [["create", "-e", "NAME", "busybox"]],
  [["create", "--env-file", "x", "busybox"]],
  [["create", "--security-opt", "seccomp=x", "busybox"]],
  [["create", "--cidfile", "x", "busybox"]],
  [["create", "-p", "1-65535:1-65535", "busybox"]],
  [["create", ...Array.from({ length: 30 }, () => "--expose=1-50"), "busybox"]],
  [["ps", "--help"]],
  [["ps", "--format", "{{json .}}"]],
  [["ps", "--format", "{{.Labels}} {{.Labels}}"]],
  [["run", "busybox"]],
  [["pull", "busybox"]],
  [["daemon"]],
  [[]],
])("%p is refused before any request, and says nothing", async (args) => {
  const { outcome, requests, written } = await run(command(args));
  expect(outcome).toHaveProperty("needs");
  expect([requests, written]).toEqual([[], ""]);
});

test("an image that is not there is refused after the one request that changed nothing", async () => {
  const { outcome, requests, written } = await run(command(["create", "nope"]), 404, {
    message: "No such image",
  });
  expect(outcome).toEqual({ needs: "a pull" });
  expect([requests, written]).toEqual([["POST /v1.51/containers/create"], ""]);
});

test("variables that no client of ours sends are refused, whatever is done with them", async () => {
  expect((await run(command(["version"], { PATH: "/bin" }))).outcome).toEqual({ needs: "variable PATH" });
});

test("an error of the code itself is told as its process would, and to the engine", async () => {
  const { outcome, written, faults } = await run(command(["ps"]), 200, "no list");
  expect(outcome).toEqual({ code: 1 });
  expect(written).not.toBe("");
  expect(faults).toHaveLength(1);
});

test("an engine's refusal is no error of the code", async () => {
  const { outcome, written, faults } = await run(command(["stop", "x"]), 404, {
    message: "No such container: x",
  });
  expect(outcome).toEqual({ code: 1 });
  expect(written).toBe("Error response from daemon: No such container: x\n");
  expect(faults).toEqual([]);
});
