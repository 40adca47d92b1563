import { afterAll, expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import type { ResourcesInput } from "../../runtime/spec/input.ts";
import type { ContainerUpdateRequest } from "../../types/api.ts";
import { closeWorlds, createOne, openWorld, type World } from "../testing/fakes.ts";

afterAll(closeWorlds);

const megabyte = 1024 * 1024;

async function updated(world: World, id: string, body: ContainerUpdateRequest): Promise<string> {
  try {
    const { Warnings } = await world.containers.update(id, body);
    return Warnings?.join() ?? "done";
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return `${error.kind}: ${error.message.replace(/[0-9a-f]{64}/, "ID")}`;
  }
}

const hostOf = async (world: World, id: string) =>
  (await world.containers.inspect(id, { size: false })).HostConfig;

test("what is not named stays, and what is named is kept over the engine's next start", async () => {
  const world = openWorld();
  const id = await createOne(world, { HostConfig: { CpuShares: 100 } });
  expect(await updated(world, id, { PidsLimit: 30, CpusetCpus: "0" })).toBe("done");
  expect(await updated(world, id, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } })).toBe(
    "done",
  );
  const again = openWorld({ before: world });
  expect(await hostOf(again, id)).toMatchObject({
    CpuShares: 100,
    PidsLimit: 30,
    CpusetCpus: "0",
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
  });
  expect(world.actions()).toEqual(["create", "update", "update"]);
});

test("a limit of processes below one is none", async () => {
  const world = openWorld();
  const id = await createOne(world, { HostConfig: { PidsLimit: 5 } });
  await updated(world, id, { PidsLimit: -5 });
  expect((await hostOf(world, id)).PidsLimit).toBe(0);
});

test("limits that contradict what is set are refused in Docker's words", async () => {
  const world = openWorld();
  const id = await createOne(world, { HostConfig: { NanoCpus: 500_000_000 } });
  const refused = "conflict: Cannot update container ID: ";
  expect(await updated(world, id, { CpuQuota: 50_000 })).toBe(
    `${refused}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
  );
  expect(await updated(world, id, { Memory: 64 * megabyte })).toBe(
    `${refused}Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
  );
  expect(await updated(world, id, { Memory: 64 * megabyte, MemorySwap: -1 })).toBe("done");
  expect(await updated(world, id, { MemorySwap: 128 * megabyte })).toBe("done");
  expect(await updated(world, id, { CpuShares: 3 })).toBe("done");
});

test("what could never be is refused before the container is looked for", async () => {
  const world = openWorld();
  expect(await updated(world, "none", { Memory: 3 })).toBe("invalid: Minimum memory limit allowed is 6MB");
  expect(await updated(world, "none", {})).toBe("notFound: No such container: none");
});

test("an auto-removed container takes no restart policy", async () => {
  const world = openWorld();
  const id = await createOne(world, { HostConfig: { AutoRemove: true } });
  expect(await updated(world, id, { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } })).toBe(
    "conflict: Cannot update container ID: Restart policy cannot be updated because AutoRemove is enabled for the container",
  );
  expect(await updated(world, id, { RestartPolicy: { Name: "no", MaximumRetryCount: 0 } })).toBe("done");
});

test("a running container's process gets what was asked, pairs whole; what the kernel refuses is not kept", async () => {
  const world = openWorld();
  const id = await createOne(world, { HostConfig: { Memory: 64 * megabyte, CpuPeriod: 20_000 } });
  await world.containers.start(id);
  await updated(world, id, { Memory: 32 * megabyte, CpuQuota: 10_000 });
  expect(world.runtime.limits.at(-1)).toMatchObject({
    memory: 32 * megabyte,
    memorySwap: 128 * megabyte,
    cpuQuota: 10_000,
    cpuPeriod: 20_000,
  } satisfies ResourcesInput);
  world.runtime.failUpdate = new EngineError("internal", "cannot set it");
  expect(await updated(world, id, { CpuShares: 7 })).toBe(
    "internal: Cannot update container ID: cannot set it",
  );
  expect((await hostOf(world, id)).CpuShares).toBe(0);
});
