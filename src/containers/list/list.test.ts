import { afterAll, describe, expect, test } from "bun:test";
import { closeWorlds, createOne, openWorld, settle } from "../testing/fakes.ts";

afterAll(closeWorlds);

const names = async (
  world: ReturnType<typeof openWorld>,
  filters: Record<string, string[]>,
  more: { all?: boolean; limit?: number } = {},
) =>
  (
    await world.containers.list({
      all: true,
      size: false,
      ...more,
      filters: new Map(Object.entries(filters)),
    })
  ).map(({ Names }) => (Names[0] ?? "").slice(1));

async function some() {
  const world = openWorld();
  const run = await createOne(world, { Labels: { k: "v" } }, "run");
  await settle(2);
  const ended = await createOne(world, { Labels: { k: "w" }, HostConfig: { NetworkMode: "none" } }, "ended");
  await settle(2);
  await createOne(world, { HostConfig: { Binds: ["vol:/data"] } }, "made");
  await world.containers.start(run);
  await world.containers.start(ended);
  world.runtime.exit(ended, 3);
  await settle();
  return world;
}

describe("the list", () => {
  test("has the newest first, and only what runs unless asked", async () => {
    const world = await some();
    expect(await names(world, {})).toEqual(["made", "ended", "run"]);
    expect(await names(world, {}, { all: false })).toEqual(["run"]);
    expect(await names(world, {}, { all: false, limit: 2 })).toEqual(["made", "ended"]);
  });

  test("is filtered by each key", async () => {
    const world = await some();
    expect(await names(world, { status: ["created"] }, { all: false })).toEqual(["made"]);
    expect(await names(world, { status: ["exited", "running"] })).toEqual(["ended", "run"]);
    expect(await names(world, { exited: ["3"] })).toEqual(["ended"]);
    expect(await names(world, { label: ["k"] })).toEqual(["ended", "run"]);
    expect(await names(world, { label: ["k", "k=v"] })).toEqual(["run"]);
    expect(await names(world, { name: ["^/r"] })).toEqual(["run"]);
    expect(await names(world, { name: ["["] })).toEqual([]);
    expect(await names(world, { volume: ["/data"] })).toEqual(["made"]);
    expect(await names(world, { network: ["none"] })).toEqual(["ended"]);
    expect(await names(world, { before: ["made"] })).toEqual(["ended", "run"]);
    expect(await names(world, { since: ["run"] })).toEqual(["made", "ended"]);
    expect(
      await names(world, { ancestor: ["busybox"], health: ["none"], "is-task": ["false"] }),
    ).toHaveLength(3);
    expect(await names(world, { ancestor: ["nosuch"] })).toEqual([]);
  });

  test("asks for few sizes at a time, and leaves out what is removed meanwhile", async () => {
    let open = 0;
    let openMax = 0;
    const world = openWorld({
      usage: async (key) => {
        openMax = Math.max(openMax, ++open);
        await settle(2);
        open--;
        if (key !== removed) return { size: 5, files: 1 };
        await world.containers.remove(key, { force: false, volumes: false });
        throw new Error("no such folder");
      },
    });
    let removed = "";
    for (let at = 0; at < 12; at++) removed = await createOne(world, {}, `c${at}`);
    const listed = await world.containers.list({ all: true, size: true, filters: new Map() });
    expect(listed).toHaveLength(11);
    expect(listed.every(({ SizeRw, SizeRootFs }) => SizeRw === 5 && SizeRootFs === 15)).toBe(true);
    expect(openMax).toBe(4);
  });

  test("fails where the size of one that is there cannot be told", async () => {
    const world = openWorld({ usage: () => Promise.reject(new Error("disk is broken")) });
    await createOne(world, {}, "one");
    const told = world.containers.list({ all: true, size: true, filters: new Map() });
    await expect(told).rejects.toThrow("disk is broken");
  });

  test("refuses filters it does not know", async () => {
    const world = await some();
    await expect(names(world, { bogus: ["x"] })).rejects.toThrow("invalid filter 'bogus'");
    await expect(names(world, { constructor: ["x"] })).rejects.toThrow("invalid filter 'constructor'");
    await expect(names(world, { status: ["bogus"] })).rejects.toThrow(
      "invalid filter 'status=bogus': invalid value for state (bogus): must be one of created, running, paused, restarting, removing, exited, dead",
    );
  });

  test("refuses ports and codes that are none in Go's words", async () => {
    const world = openWorld();
    const refusals: [Record<string, string[]>, string][] = [
      [{ exited: ["x"] }, `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
      [
        { publish: ["x"] },
        `error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax`,
      ],
      [{ expose: ["70000"] }, `expose 70000: strconv.ParseUint: parsing "70000": value out of range`],
      [{ publish: ["90-80"] }, "publish 90-80: Invalid range specified for the Port: 90-80"],
      [{ publish: [""] }, "publish : Empty string specified for ports."],
    ];
    for (const [filters, sentence] of refusals) await expect(names(world, filters)).rejects.toThrow(sentence);
    expect(await names(world, { publish: ["80/none"], isolation: ["any"] })).toEqual([]);
  });

  test("tells what has changed since it was last asked", async () => {
    const world = openWorld();
    const id = await createOne(world, { HostConfig: { Binds: ["vol:/data"] } }, "one");
    const told = async () => {
      const [summary] = await world.containers.list({
        all: true,
        size: false,
        why: true,
        filters: new Map(),
      });
      if (!summary) throw new Error("the container is not listed");
      const { Names, State, Mounts, Reason } = summary;
      return [Names, State, Mounts[0]?.Source !== "", Reason?.replace(/ .*/, "")];
    };
    expect(await told()).toEqual([["/one"], "created", false, undefined]);
    await world.containers.start(id);
    expect(await told()).toEqual([["/one"], "running", true, undefined]);
    await world.containers.rename(id, "other");
    world.runtime.exit(id, 3);
    await settle();
    expect(await told()).toEqual([["/other"], "exited", true, "ended"]);
  });

  test("is not stopped by an expression that another engine would try for ever", async () => {
    const world = openWorld();
    await createOne(world, {}, `${"a".repeat(60)}b`);
    expect(await names(world, { name: ["^/?(a+)+$"] })).toEqual([]);
  });

  test("tells each state in Docker's words", async () => {
    const world = await some();
    const said = await world.containers.list({ all: true, size: false, filters: new Map() });
    expect(said.map(({ Status }) => Status)).toEqual([
      "Created",
      "Exited (3) Less than a second ago",
      "Up Less than a second",
    ]);
    expect(said.map(({ Command }) => Command)).toEqual(["true", "true", "true"]);
  });
});
