import { expect, test } from "bun:test";
import { nowNs } from "../../lib/time/time.ts";
import { EventBus } from "../../state/events.ts";
import type { EventMessage } from "../../types/api.ts";
import { passes } from "./filter.ts";
import { eventLines } from "./stream.ts";

const event: EventMessage = {
  Type: "container",
  Action: "exec_start: sh -c true",
  Actor: { ID: "abcdef", Attributes: { name: "web", image: "busybox:1", tier: "front" } },
  scope: "local",
  time: 1,
  timeNano: 1n,
};
const filtered = (filters: Record<string, string[]>): boolean =>
  passes(event, new Map(Object.entries(filters)));

test("values of a filter are alternatives, filters all must hold", () => {
  expect(filtered({ type: ["image", "container"] })).toBe(true);
  expect(filtered({ type: ["image"] })).toBe(false);
  expect(filtered({ type: ["container"], container: ["nosuch"] })).toBe(false);
  expect(filtered({ container: ["abc"] })).toBe(true);
  expect(filtered({ container: ["we"] })).toBe(true);
  expect(filtered({ event: ["exec_start"] })).toBe(true);
  expect(filtered({ event: ["exec_start: sh -c true"] })).toBe(true);
  expect(filtered({ event: ["start"] })).toBe(false);
  expect(filtered({ image: ["busybox"] })).toBe(true);
  expect(filtered({ image: ["busybox:2"] })).toBe(false);
  expect(filtered({ label: ["tier=front"] })).toBe(true);
  expect(filtered({ label: ["tier", "nosuch"] })).toBe(false);
  expect(filtered({ scope: ["swarm"] })).toBe(false);
});

const publish = (bus: EventBus, action: string): void =>
  bus.publish({ type: "container", action, id: "1", attributes: {} });

async function read(lines: AsyncIterable<string>): Promise<string[]> {
  let text = "";
  for await (const piece of lines) text += piece;
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as EventMessage).Action);
}

test("a past span ends by itself", async () => {
  const bus = new EventBus();
  publish(bus, "create");
  publish(bus, "start");
  const lines = eventLines(bus, { filters: new Map([["event", ["start"]]]), sinceNs: 0n, untilNs: nowNs() });
  expect(await read(lines)).toEqual(["start"]);
  expect(bus.listenerCount).toBe(0);
});

test("a span into the future tells what was and what comes, then ends", async () => {
  const bus = new EventBus();
  publish(bus, "create");
  const lines = read(eventLines(bus, { filters: new Map(), sinceNs: 0n, untilNs: nowNs() + 50_000_000n }));
  publish(bus, "start");
  expect(await lines).toEqual(["create", "start"]);
  expect(bus.listenerCount).toBe(0);
});

test("a client that does not keep up is cut off after what is queued", async () => {
  const bus = new EventBus();
  const iterator = eventLines(bus, { filters: new Map(), sinceNs: undefined, untilNs: undefined })[
    Symbol.asyncIterator
  ]();
  for (let count = 0; count < 6000; count++) publish(bus, "start");
  expect(bus.listenerCount).toBe(0);
  const { value } = await iterator.next();
  expect(String(value).split("\n").length - 1).toBe(4096);
  expect((await iterator.next()).done).toBe(true);
});

test("a client that leaves ends a pending read and the subscription", async () => {
  const bus = new EventBus();
  const iterator = eventLines(bus, { filters: new Map(), sinceNs: undefined, untilNs: undefined })[
    Symbol.asyncIterator
  ]();
  const pending = iterator.next();
  await iterator.return?.();
  expect((await pending).done).toBe(true);
  expect(bus.listenerCount).toBe(0);
});
