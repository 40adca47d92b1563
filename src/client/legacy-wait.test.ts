import { expect, test } from "bun:test";
import { Client } from "./client.ts";
import { wait } from "./containers.ts";

const event = (action: string, attributes: Record<string, string> = {}): string =>
  `${JSON.stringify({ Type: "container", Action: action, Actor: { ID: "c", Attributes: attributes } })}\n`;

/** A client of an API version before an engine that tells these events, and what it asked for. */
function clientOf(apiVersion: string, told: string): { client: Client; asked: string[] } {
  const asked: string[] = [];
  const client = new Client({
    host: { kind: "unix", path: "/nonexistent" } as never,
    apiVersion,
    exchange: async ({ method, path }) => {
      asked.push(`${method} ${path.split("?")[0]}`);
      const body = (async function* () {
        yield Buffer.from(path.includes("/events") ? told : "");
      })();
      return { status: 200, headers: {}, body, keepAlive: false } as never;
    },
  });
  return { client, asked };
}

test("an API without conditions tells an exit code by the events", async () => {
  const { client, asked } = clientOf("1.24", event("start") + event("die", { exitCode: "7" }));
  const { ended } = await wait(client, "c", "next-exit");
  expect(await ended).toEqual({ StatusCode: 7 });
  expect(asked).toEqual(["GET /v1.24/events"]);
});

test("below 1.25 the client removes what is to be removed, from there the engine does", async () => {
  const told = event("die", { exitCode: "3" }) + event("destroy");
  for (const [version, calls] of [
    ["1.24", ["GET /v1.24/events", "DELETE /v1.24/containers/c"]],
    ["1.29", ["GET /v1.29/events"]],
  ] as const) {
    const { client, asked } = clientOf(version, told);
    const { ended } = await wait(client, "c", "removed");
    expect(await ended).toEqual({ StatusCode: 3 });
    expect(asked).toEqual([...calls]);
  }
});
