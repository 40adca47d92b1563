import { afterAll, expect, test } from "bun:test";
import { nowNs } from "../../lib/time/time.ts";
import { closeWorlds, createOne, openWorld, settle, type World } from "../testing/fakes.ts";

afterAll(closeWorlds);

/** A new engine over what the old one, killed, has left. */
async function after(before: World, prepare: (world: World) => void = () => undefined): Promise<World> {
  const world = openWorld({ before });
  prepare(world);
  await world.containers.recover();
  await settle();
  return world;
}
const stateOf = async (world: World, id: string) =>
  (await world.containers.inspect(id, { size: false })).State;
const always = { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } };

test("a container that still runs is taken over, and its later exit is seen", async () => {
  const before = openWorld();
  const id = await createOne(before);
  await before.containers.start(id);
  const world = await after(before, ({ runtime }) =>
    runtime.left.set(id, { pid: 99, running: true, paused: false }),
  );
  expect((await stateOf(world, id)).Pid).toBe(99);
  world.runtime.exit(id, 5);
  await settle();
  expect((await stateOf(world, id)).ExitCode).toBe(5);
});

test("a container that was frozen or thawed while no engine could write it down is told as it is", async () => {
  const before = openWorld();
  const [frozen, thawed] = [await createOne(before), await createOne(before)];
  for (const id of [frozen, thawed]) await before.containers.start(id);
  await before.containers.pause(thawed);
  const world = await after(before, ({ runtime }) => {
    runtime.left.set(frozen, { pid: 98, running: true, paused: true });
    runtime.left.set(thawed, { pid: 99, running: true, paused: false });
  });
  expect((await stateOf(world, frozen)).Status).toBe("paused");
  expect((await stateOf(world, thawed)).Status).toBe("running");
});

test("a container that stood still for work which a crash cut short runs on", async () => {
  const before = openWorld();
  const [copied, paused] = [await createOne(before), await createOne(before)];
  for (const id of [copied, paused]) await before.containers.start(id);
  await before.containers.pause(copied, { still: true });
  await before.containers.pause(paused);
  const world = await after(before, ({ runtime }) => {
    for (const id of [copied, paused]) runtime.left.set(id, { pid: 98, running: true, paused: true });
  });
  expect((await stateOf(world, copied)).Status).toBe("running");
  expect(world.runtime.resumed).toEqual([copied]);
  expect((await stateOf(world, paused)).Status).toBe("paused");
});

test("an exit that happened meanwhile has its own code and time", async () => {
  const before = openWorld();
  const id = await createOne(before);
  await before.containers.start(id);
  const exitedAtNs = nowNs();
  const world = await after(before, ({ runtime }) =>
    runtime.left.set(id, { id, exitCode: 42, exitedAtNs, oomKilled: false }),
  );
  const state = await stateOf(world, id);
  expect([state.Status, state.ExitCode]).toEqual(["exited", 42]);
  expect(world.actions()).toEqual(["die"]);
});

test("after a reboot a container with a policy is started again, one without is ended", async () => {
  const before = openWorld();
  const kept = await createOne(before, always);
  const plain = await createOne(before);
  await before.containers.start(kept);
  await before.containers.start(plain);
  const world = await after(before);
  world.clock.next();
  await settle();
  expect((await stateOf(world, kept)).Status).toBe("running");
  expect((await stateOf(world, plain)).Status).toBe("exited");
});

test("an auto-removed container that ended meanwhile is gone, its volume too", async () => {
  const before = openWorld();
  const id = await createOne(before, { HostConfig: { AutoRemove: true }, Volumes: { "/v": {} } });
  await before.containers.start(id);
  const world = await after(before, ({ runtime }) =>
    runtime.left.set(id, { id, exitCode: 0, exitedAtNs: nowNs(), oomKilled: false }),
  );
  await expect(world.containers.inspect(id, { size: false })).rejects.toThrow("No such container");
  expect(world.volumes.names.size).toBe(0);
});

test("a start that was cut short is undone: created as it was", async () => {
  const before = openWorld();
  const id = await createOne(before);
  before.state.db.run("UPDATE containers SET state = json_set(state, '$.status', 'starting')");
  const world = await after(before);
  expect((await stateOf(world, id)).Status).toBe("created");
  expect(world.runtime.deleted).toContain(id);
});

test("a removal that was cut short is finished", async () => {
  const before = openWorld();
  const id = await createOne(before, { Volumes: { "/v": {} } });
  before.state.db.run("UPDATE containers SET state = json_set(state, '$.status', 'removing')");
  const world = await after(before);
  await expect(world.containers.inspect(id, { size: false })).rejects.toThrow("No such container");
});

test("a container that waited for its restart is restarted", async () => {
  const before = openWorld();
  const id = await createOne(before, always);
  await before.containers.start(id);
  before.runtime.exit(id, 1);
  await settle();
  expect((await stateOf(before, id)).Status).toBe("restarting");
  const world = await after(before);
  world.clock.next();
  await settle();
  expect((await stateOf(world, id)).Status).toBe("running");
});

test("unless-stopped stays stopped when a user stopped it; always comes back", async () => {
  const before = openWorld();
  const stopped = await createOne(before, { HostConfig: { RestartPolicy: { Name: "unless-stopped" } } });
  const comes = await createOne(before, always);
  for (const id of [stopped, comes]) {
    await before.containers.start(id);
    await before.containers.stop(id, {});
  }
  const world = await after(before);
  expect((await stateOf(world, comes)).Status).toBe("restarting");
  world.clock.next();
  await settle();
  expect((await stateOf(world, stopped)).Status).toBe("exited");
  expect((await stateOf(world, comes)).Status).toBe("running");
});

test("the anonymous volume of a create that was cut short goes with it", async () => {
  const before = openWorld();
  const id = await createOne(before, { Volumes: { "/v": {} } });
  // what is on disk between the volume's making and the container's row
  before.state.db.run("UPDATE containers SET state = json_set(state, '$.status', 'removing') WHERE id = ?", [
    id,
  ]);
  const world = await after(before);
  expect(world.volumes.names.size).toBe(0);
  expect(await world.containers.list({ all: true, size: false, filters: new Map() })).toEqual([]);
});

const compose = (service: string, dependsOn = "", more: object = {}) => ({
  ...always,
  Labels: {
    "com.docker.compose.project": "p",
    "com.docker.compose.service": service,
    "com.docker.compose.depends_on": dependsOn,
  },
  ...more,
});

/** Lets all restarts happen that are due. */
async function restartsDue({ clock }: World): Promise<void> {
  for (;;) {
    const due = clock.waiting.find(({ ms }) => ms === 0);
    if (!due) return;
    clock.waiting.splice(clock.waiting.indexOf(due), 1);
    due.act();
    await settle();
  }
}

test("after a reboot services start in the order of their project, each once what it needs is healthy", async () => {
  const before = openWorld();
  const [web, db, cache] = [
    await createOne(before, compose("web", "db:service_healthy:false,cache:service_started:true"), "web"),
    await createOne(before, compose("db", "", { Healthcheck: { Test: ["CMD", "true"] } }), "db"),
    await createOne(before, compose("cache", "db:service_started:false"), "cache"),
  ];
  for (const id of [db, cache, web]) await before.containers.start(id);
  const world = await after(before);
  const started = () =>
    world.events.filter(({ Action }) => Action === "start").map(({ Actor }) => Actor.Attributes["name"]);
  await restartsDue(world);
  expect(started()).toEqual(["db", "cache"]);
  expect((await stateOf(world, web)).Status).toBe("restarting");
  await world.containers.stop(web, {});
  expect((await stateOf(world, web)).Status).toBe("exited");
});

test("a service does not wait for one that nothing will start", async () => {
  const before = openWorld();
  const job = await createOne(before, { ...compose("job"), HostConfig: {} }, "job");
  const web = await createOne(before, compose("web", "job:service_completed_successfully:false"), "web");
  for (const id of [job, web]) await before.containers.start(id);
  const world = await after(before);
  await restartsDue(world);
  expect((await stateOf(world, job)).Status).toBe("exited");
  expect((await stateOf(world, web)).Status).toBe("running");
});

test("a container whose snapshot a power cut took gets an empty one; others keep theirs", async () => {
  const before = openWorld();
  const [lost, kept] = [await createOne(before), await createOne(before)];
  before.snapshots.delete(lost);
  before.snapshots.add(`${kept} as it was`);
  const world = await after(before);
  expect(world.snapshots).toEqual(new Set([lost, kept, `${kept} as it was`]));
  await world.containers.start(lost);
  expect((await stateOf(world, lost)).Status).toBe("running");
});
