import { afterAll, describe, expect, test } from "bun:test";
import { closeWorlds, createOne, openWorld } from "../testing/fakes.ts";
import { linkVariables } from "./environment.ts";
import { parseLink } from "./link.ts";

afterAll(closeWorlds);

describe("a link's text", () => {
  test("is a name, a name with an alias, or as inspect tells it", () => {
    expect(parseLink("db")).toEqual({ name: "db", alias: "db" });
    expect(parseLink("db:store")).toEqual({ name: "db", alias: "store" });
    expect(parseLink("/db:/web/store")).toEqual({ name: "db", alias: "store" });
    expect(() => parseLink("a:b:c")).toThrow("bad format for links: a:b:c");
    expect(() => parseLink("")).toThrow("empty string specified for links");
  });
});

describe("a link's variables", () => {
  test("name the first TCP port, each port, and runs of ports", () => {
    const told = linkVariables({
      holder: "web",
      alias: "my-db",
      address: "172.17.0.2",
      config: { Env: ["A=1", "PATH=/x"], ExposedPorts: { "9000-9001/udp": {}, "8080/tcp": {} } },
    });
    expect(told[0]).toBe("MY_DB_PORT=tcp://172.17.0.2:8080");
    expect(told).toContain("MY_DB_PORT_8080_TCP_ADDR=172.17.0.2");
    expect(told).toContain("MY_DB_PORT_9000_UDP_END=udp://172.17.0.2:9001");
    expect(told).not.toContain("MY_DB_PORT_8080_TCP_START=tcp://172.17.0.2:8080");
    expect(told).toContain("MY_DB_NAME=/web/my-db");
    expect(told.filter((one) => one.startsWith("MY_DB_ENV_"))).toEqual(["MY_DB_ENV_A=1"]);
  });
});

describe("a link", () => {
  test("is told with both names, is a name of its target, and follows a rename", async () => {
    const world = openWorld();
    const db = await createOne(world, {}, "db");
    const web = await createOne(world, { HostConfig: { Links: ["db:store", "db:store"] } }, "web");
    expect((await world.containers.inspect("web/store", { size: false })).Id).toBe(db);
    const [, told] = await world.containers.list({ all: true, size: false, filters: new Map() });
    expect(told?.Names).toEqual(["/db", "/web/store"]);
    await world.containers.rename(db, "data");
    const { HostConfig } = await world.containers.inspect(web, { size: false });
    expect(HostConfig.Links).toEqual(["/data:/web/store"]);
  });

  test("is taken away by its name, and the containers stay", async () => {
    const world = openWorld();
    await createOne(world, {}, "db");
    const web = await createOne(world, { HostConfig: { Links: ["db:store"] } }, "web");
    await world.containers.remove("web/store", { force: false, volumes: false, link: true });
    expect((await world.containers.inspect(web, { size: false })).HostConfig.Links).toBeNull();
    await expect(world.containers.remove("db", { force: false, volumes: false, link: true })).rejects.toThrow(
      "cannot remove the default link name",
    );
  });

  test("needs a container that is there, and at the start one that runs", async () => {
    const world = openWorld();
    await expect(createOne(world, { HostConfig: { Links: ["none:x"] } })).rejects.toThrow(
      "could not get container for none: No such container: none",
    );
    await createOne(world, {}, "db");
    const web = await createOne(world, { HostConfig: { Links: ["db:store"] } }, "web");
    await expect(world.containers.start(web)).rejects.toThrow(
      "Cannot link to a non running container: /db AS /web/store",
    );
  });
});
