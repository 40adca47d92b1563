import { afterAll, expect, test } from "bun:test";
import { closeWorlds, createOne, openWorld } from "./testing/fakes.ts";

afterAll(closeWorlds);

test("who uses an image or a volume follows containers that come and go", async () => {
  const world = openWorld();
  const { containers } = world;
  const id = await createOne(world);
  const { Image } = await containers.inspect(id, { size: false });
  const users = (): string[] => containers.usersOfImage(Image).map(({ containerId }) => containerId);
  expect([users(), containers.usersOfVolume("data")]).toEqual([[id], []]);
  const Binds = ["data:/one", "data:/two"];
  const other = await createOne(world, { HostConfig: { Binds } });
  expect([users(), containers.usersOfVolume("data")]).toEqual([[id, other], [other]]);
  await containers.remove(other, { force: false, volumes: false, link: false });
  expect([users(), containers.usersOfVolume("data")]).toEqual([[id], []]);
});
