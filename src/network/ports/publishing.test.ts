import { expect, test } from "bun:test";
import { request, setUp, web } from "../testing/sandboxes.ts";

const other = { ...web, port: 81, hostPort: 8081, hostPortEnd: 8081 };
const change = { containerId: "a", containerName: "name-a", add: [other], remove: [web] };

/** A container that publishes 8080, on a disk that is full for the next write of its row. */
async function setUpFull() {
  const all = setUp();
  await (await all.sandboxes.open(request("a", "bridge", [web]))).ready;
  const { endpoints } = all;
  const update = endpoints.update.bind(endpoints);
  endpoints.update = () => {
    endpoints.update = update;
    throw new Error("database or disk is full");
  };
  return all;
}

test("ports that could not be recorded are as they were: nothing is held, and nothing lost", async () => {
  const { sandboxes, endpoints } = await setUpFull();
  const [rules, rows] = [sandboxes.publishedRules(), endpoints.all()];
  await expect(sandboxes.republish(change)).rejects.toThrow("full");
  expect(sandboxes.publishedRules()).toEqual(rules);
  expect(endpoints.all()).toEqual(rows);
  await expect(sandboxes.open(request("b", "bridge", [web]))).rejects.toThrow("already allocated");
  await (await sandboxes.open(request("c", "bridge", [other]))).ready;
});

test("the next try does all that the failed one should have, and frees what leaves", async () => {
  const { sandboxes, endpoints } = await setUpFull();
  await expect(sandboxes.republish(change)).rejects.toThrow("full");
  expect(Object.keys(await sandboxes.republish(change))).toEqual(["81/tcp"]);
  expect(endpoints.all()[0]?.spec.ports.map(({ hostPort }) => hostPort)).toEqual([8081, 8081]);
  await (await sandboxes.open(request("b", "bridge", [web]))).ready;
});

const taken = { ...web, port: 81 };
const exchange = { ...change, add: [taken] };

test("what is added may take the place of what the same call takes away", async () => {
  const { sandboxes } = setUp();
  await (await sandboxes.open(request("a", "bridge", [web]))).ready;
  await expect(sandboxes.republish({ ...exchange, remove: [] })).rejects.toThrow("already allocated");
  expect(Object.keys(await sandboxes.republish(exchange))).toEqual(["81/tcp"]);
  await expect(sandboxes.open(request("b", "bridge", [web]))).rejects.toThrow("already allocated");
});

test("a port that gave way to one that could not be recorded is held again", async () => {
  const { sandboxes, endpoints } = await setUpFull();
  await expect(sandboxes.republish(exchange)).rejects.toThrow("full");
  await expect(sandboxes.open(request("b", "bridge", [web]))).rejects.toThrow("already allocated");
  expect(endpoints.all()[0]?.spec.ports.map(({ port }) => port)).toEqual([80, 80]);
  expect(Object.keys(await sandboxes.republish(exchange))).toEqual(["81/tcp"]);
});

test("a range set apart for a change that failed is still the same range", async () => {
  const { sandboxes, endpoints } = setUp();
  const range = { ...web, port: 1000, hostPort: 1000, hostPortEnd: 1000, count: 500 };
  await (await sandboxes.open(request("a", "bridge", [range]))).ready;
  const live = sandboxes.get("a");
  if (!live) throw new Error("no sandbox");
  const update = endpoints.update.bind(endpoints);
  endpoints.update = () => {
    endpoints.update = update;
    throw new Error("database or disk is full");
  };
  const within = {
    ...change,
    add: [{ ...other, hostPort: 1100, hostPortEnd: 1100 }],
    remove: [{ port: 1100, protocol: "tcp" as const }],
  };
  await expect(sandboxes.republish(within)).rejects.toThrow("full");
  await sandboxes.ports.move(live, live.records, "name-a", [range]);
  expect(live.bound.map(({ published }) => published.count ?? 1).sort()).toEqual([1, 100, 399]);
  expect(live.bound.map(({ forwarder }) => forwarder)).toEqual([undefined, undefined, undefined]);
});

test("what is dropped again after its row could not be written leaves the row", async () => {
  const { sandboxes, endpoints } = await setUpFull();
  const live = sandboxes.get("a");
  if (!live) throw new Error("no sandbox");
  await expect(sandboxes.ports.drop(live)).rejects.toThrow("full");
  await sandboxes.ports.drop(live);
  expect(endpoints.all()[0]?.spec.ports).toEqual([]);
  expect(live.rules).toEqual({ published: [], routed: [] });
});
