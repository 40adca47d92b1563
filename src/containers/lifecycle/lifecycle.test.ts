import { afterAll, describe, expect, test } from "bun:test";
import { EngineError, isKind } from "../../lib/errors.ts";
import { closeWorlds, createOne, openWorld, settle, type World } from "../testing/fakes.ts";

afterAll(closeWorlds);

const never = new AbortController().signal;
const statusOf = async ({ containers }: World, id: string) =>
  (await containers.inspect(id, { size: false })).State.Status;

describe("a container's life", () => {
  test("goes from created over running to exited, and keeps the exit code", async () => {
    const world = openWorld();
    const id = await createOne(world, {}, "one");
    expect(await statusOf(world, id)).toBe("created");
    await world.containers.start("one");
    expect(await statusOf(world, id)).toBe("running");
    const { done } = world.containers.wait(id, "not-running", never);
    world.runtime.exit(id, 7);
    expect(await done).toEqual({ StatusCode: 7 });
    await settle();
    const { State } = await world.containers.inspect(id, { size: false });
    expect([State.Status, State.ExitCode, State.Pid, State.Running]).toEqual(["exited", 7, 0, false]);
    expect(world.actions()).toEqual(["create", "start", "die"]);
  });

  test("starting what runs changes nothing and says so", async () => {
    const world = openWorld();
    const id = await createOne(world);
    await world.containers.start(id);
    const error = await world.containers.start(id).catch((thrown: unknown) => thrown);
    expect(isKind(error, "notModified")).toBe(true);
  });

  test("of several starts at once one starts and the others find it running", async () => {
    const world = openWorld();
    const id = await createOne(world);
    const results = await Promise.allSettled([1, 2, 3].map(() => world.containers.start(id)));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(world.runtime.created).toHaveLength(1);
  });

  test("an exit that comes while the start is being told is not lost", async () => {
    const world = openWorld();
    const id = await createOne(world);
    const starting = world.containers.start(id);
    const { done } = world.containers.wait(id, "next-exit", never);
    await starting;
    world.runtime.exit(id, 3);
    expect(await done).toEqual({ StatusCode: 3 });
  });

  test("a failed start leaves it created with the error and a code", async () => {
    const world = openWorld();
    const id = await createOne(world);
    world.runtime.failCreate = new Error("boom");
    await expect(world.containers.start(id)).rejects.toThrow("boom");
    const { State } = await world.containers.inspect(id, { size: false });
    expect([State.Status, State.ExitCode, State.Error]).toEqual(["created", 128, "boom"]);
    await world.containers.start(id);
    expect(await statusOf(world, id)).toBe("running");
  });

  test("stop sends the signal, then SIGKILL after the timeout", async () => {
    const world = openWorld();
    world.runtime.obedient = false;
    const id = await createOne(world);
    await world.containers.start(id);
    await world.containers.stop(id, { timeoutS: 0 });
    expect(world.runtime.signals).toEqual([`${id}:15`, `${id}:9`]);
    expect(world.actions()).toEqual(["create", "start", "kill", "kill", "stop", "die"]);
    const again = await world.containers.stop(id, {}).catch((thrown: unknown) => thrown);
    expect(isKind(again, "notModified")).toBe(true);
  });

  test("a running container is not removed without force, and is with it", async () => {
    const world = openWorld();
    const id = await createOne(world, {}, "web");
    await world.containers.start(id);
    await expect(world.containers.remove("web", { force: false, volumes: false })).rejects.toThrow(
      'cannot remove container "web": container is running: stop the container before removing or force remove',
    );
    const { done } = world.containers.wait(id, "removed", never);
    await world.containers.remove("web", { force: true, volumes: false });
    expect(await done).toEqual({ StatusCode: 137 });
    await expect(world.containers.inspect("web", { size: false })).rejects.toThrow("No such container: web");
    expect(world.actions()).toEqual(["create", "start", "kill", "die", "destroy"]);
  });

  test("an auto-removed container takes its anonymous volume along and frees its name", async () => {
    const world = openWorld();
    const id = await createOne(world, { HostConfig: { AutoRemove: true }, Volumes: { "/v": {} } }, "once");
    expect(world.volumes.names.size).toBe(1);
    await world.containers.start(id);
    const { done } = world.containers.wait(id, "removed", never);
    world.runtime.exit(id, 4);
    expect(await done).toEqual({ StatusCode: 4 });
    expect(world.volumes.names.size).toBe(0);
    await createOne(world, {}, "once");
  });

  test("a name that is taken is refused with its holder's id", async () => {
    const world = openWorld();
    const id = await createOne(world, {}, "web");
    await expect(createOne(world, {}, "web")).rejects.toThrow(
      `Conflict. The container name "/web" is already in use by container "${id}".`,
    );
  });

  test("pause and unpause refuse what is not so", async () => {
    const world = openWorld();
    const id = await createOne(world);
    await expect(world.containers.pause(id)).rejects.toThrow(`container ${id} is not running`);
    await world.containers.start(id);
    await world.containers.pause(id);
    await expect(world.containers.pause(id)).rejects.toThrow(`Container ${id} is already paused`);
    await expect(world.containers.start(id)).rejects.toThrow(
      "cannot start a paused container, try unpause instead",
    );
    await world.containers.unpause(id);
    await expect(world.containers.unpause(id)).rejects.toThrow(`Container ${id} is not paused`);
  });

  test("a lookup by prefix must be unique, and a name comes before a prefix", async () => {
    const world = openWorld();
    const a = await createOne(world, {}, "aa");
    await createOne(world, {}, a.slice(0, 12));
    expect((await world.containers.inspect(a.slice(0, 12), { size: false })).Name).toBe(`/${a.slice(0, 12)}`);
    expect((await world.containers.inspect(a.slice(0, 13), { size: false })).Id).toBe(a);
    expect((await world.containers.inspect("/aa", { size: false })).Id).toBe(a);
  });
});

test("who asks on the exit of a user's restart learns that the container runs again", async () => {
  const world = openWorld();
  const id = await createOne(world);
  await world.containers.start(id);
  const restart = world.containers.restart(id, {});
  while (!world.actions().includes("die")) await new Promise(setImmediate);
  const { State } = await world.containers.inspect(id, { size: false });
  expect(State.Running).toBe(true);
  await restart;
});

describe("restart policies", () => {
  const policy = (Name: string, MaximumRetryCount = 0) => ({
    HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
  });

  test("wait longer each time, doubling from 100 ms", async () => {
    const world = openWorld();
    const id = await createOne(world, policy("always"));
    await world.containers.start(id);
    const delays: (number | undefined)[] = [];
    for (let round = 0; round < 4; round++) {
      world.runtime.exit(id, 1);
      await settle();
      delays.push(world.clock.next());
      await settle();
    }
    expect(delays).toEqual([100, 200, 400, 800]);
    expect((await world.containers.inspect(id, { size: false })).RestartCount).toBe(4);
  });

  test("on-failure gives up after its count and leaves a success alone", async () => {
    const world = openWorld();
    const id = await createOne(world, policy("on-failure", 1));
    await world.containers.start(id);
    world.runtime.exit(id, 1);
    await settle();
    expect(await statusOf(world, id)).toBe("restarting");
    world.clock.next();
    await settle();
    world.runtime.exit(id, 1);
    await settle();
    expect(await statusOf(world, id)).toBe("exited");
    await world.containers.start(id);
    world.runtime.exit(id, 0);
    await settle();
    expect(await statusOf(world, id)).toBe("exited");
  });

  test("a user's stop is final, also while a restart is awaited", async () => {
    const world = openWorld();
    const id = await createOne(world, policy("always"));
    await world.containers.start(id);
    world.runtime.exit(id, 1);
    await settle();
    await world.containers.stop(id, {});
    expect(await statusOf(world, id)).toBe("exited");
    expect(world.clock.waiting).toHaveLength(0);
    await world.containers.start(id);
    await world.containers.stop(id, {});
    await settle();
    expect(await statusOf(world, id)).toBe("exited");
  });
});

describe("an automatic restart that fails", () => {
  const always = { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } };

  /** A container whose policy is about to start it, while the next start is going to fail with `failure`. */
  async function failing(failure: Error): Promise<{ world: World; id: string }> {
    const world = openWorld();
    const id = await createOne(world, always);
    await world.containers.start(id);
    world.runtime.exit(id, 1);
    await settle();
    world.runtime.failCreate = failure;
    world.clock.next();
    await settle();
    return { world, id };
  }

  test("is tried again after a longer while, and tells why meanwhile", async () => {
    const { world, id } = await failing(new Error("no memory"));
    const { State } = await world.containers.inspect(id, { size: false });
    expect([State.Status, State.Error]).toEqual(["restarting", "no memory"]);
    expect(world.clock.next()).toBe(200);
    await settle();
    expect(await statusOf(world, id)).toBe("running");
  });

  test("ends it where what it asks for cannot be had", async () => {
    const { world, id } = await failing(new EngineError("invalid", "executable file not found in $PATH"));
    expect(await statusOf(world, id)).toBe("exited");
    expect(world.clock.waiting).toHaveLength(0);
  });

  test("is given up when a user stops it, and those who wait hear of it", async () => {
    const { world, id } = await failing(new Error("no memory"));
    const { done } = world.containers.wait(id, "not-running", never);
    await world.containers.stop(id, {});
    expect(await done).toEqual({ StatusCode: 1 });
    expect([await statusOf(world, id), world.clock.waiting.length]).toEqual(["exited", 0]);
  });
});
