import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakePlugin, startVolumePlugin } from "../../../tests/support/volume-plugin.ts";
import { silentLogger } from "../../lib/log.ts";
import { State } from "../../state/database.ts";
import { EventBus } from "../../state/events.ts";
import { openVolumes } from "../open.ts";
import { findPlugin, pluginNames } from "./discovery.ts";

let folder = "";
let plugin: FakePlugin;
let state: State;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-volume-plugins-"));
  plugin = startVolumePlugin(join(folder, "run/vendor.sock"), join(folder, "kept"));
  state = State.inMemory();
});
afterEach(async () => {
  await plugin.stop();
  rmSync(folder, { recursive: true, force: true });
});

const folders = () => ({ sockets: join(folder, "run"), specs: [join(folder, "etc"), join(folder, "lib")] });
const open = () =>
  openVolumes({ dataRoot: folder, state, events: new EventBus(), logger: silentLogger, plugins: folders() });
const create = { Name: "data", Driver: "vendor", DriverOpts: { tier: "gold" }, Labels: { k: "v" } };

test("a volume is made, told, mounted for each user once, and removed by its plugin", async () => {
  const volumes = open();
  await volumes.create(create);
  await volumes.create(create);
  expect(await volumes.inspect("data")).toMatchObject({
    Driver: "vendor",
    Labels: { k: "v" },
    Mountpoint: join(folder, "kept/data"),
    Scope: "global",
    Status: { options: { tier: "gold" } },
  });
  expect(await volumes.mount("data", "c1")).toBe(join(folder, "kept/data"));
  await volumes.mount("data", "c1");
  await volumes.mount("data", "c2");
  await volumes.release("data", "c1");
  await expect(volumes.remove("data", { force: false, users: [] })).rejects.toThrow("in use - [c2]");
  await volumes.release("data", "c2");
  await volumes.remove("data", { force: false, users: [] });
  expect(plugin.calls).toEqual([
    "Create data",
    "Mount data c1",
    "Mount data c2",
    "Unmount data c1",
    "Unmount data c2",
    "Remove data",
  ]);
});

test("volumes that only the plugin knows are listed, told, and taken over", async () => {
  await open().create(create);
  state = State.inMemory();
  const volumes = open();
  expect((await volumes.list()).volumes).toMatchObject([{ Name: "data", Driver: "vendor", Labels: null }]);
  expect(await volumes.inspect("data")).toMatchObject({ Name: "data", Driver: "vendor" });
  await volumes.create(create);
  expect(plugin.calls).toEqual(["Create data"]);
});

test("the plugin's own sentence is told, with the method where the status failed too", async () => {
  const volumes = open();
  plugin.failures.set("VolumeDriver.Create", { status: 200, error: "no room" });
  await expect(volumes.create(create)).rejects.toThrow(new Error("create data: no room"));
  plugin.failures.set("VolumeDriver.Create", { status: 500, error: "no room" });
  await expect(volumes.create(create)).rejects.toThrow(
    new Error("create data: VolumeDriver.Create: no room"),
  );
  expect(volumes.has("data")).toBe(false);
});

test("a plugin that went away is told, its volumes are kept, and force forgets them", async () => {
  const volumes = open();
  await volumes.create(create);
  await plugin.stop();
  await expect(volumes.mount("data", "c1")).rejects.toThrow('plugin "vendor" not found');
  await expect(volumes.remove("data", { force: false, users: [] })).rejects.toThrow(
    'remove data: error looking up volume plugin vendor: plugin "vendor" not found',
  );
  await volumes.remove("data", { force: true, users: [] });
  expect(volumes.has("data")).toBe(false);
});

test("a socket that nobody answers is a warning of the list, not its failure", async () => {
  await open().create({ Name: "own" });
  writeFileSync(join(folder, "etc.sock"), "");
  mkdirSync(join(folder, "etc"));
  writeFileSync(join(folder, "etc/gone.spec"), `unix://${join(folder, "etc/nobody.sock")}\n`);
  const { volumes, warnings } = await open().list();
  expect(volumes.map(({ Name }) => Name)).toEqual(["own"]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toStartWith("error looking up volume plugin gone: plugin gone: Plugin.Activate:");
});

test("a name belongs to one driver", async () => {
  const volumes = open();
  await volumes.create({ Name: "data" });
  await expect(volumes.create(create)).rejects.toThrow("driver 'local' already has volume 'data'");
  await volumes.create({ Name: "data" });
});

test("plugins are found as sockets, specs and JSON, also in folders of their own", async () => {
  for (const path of ["etc/a", "lib", "etc/d.spec"]) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, "etc/a/a.spec"), "tcp://10.0.0.1:9000\n");
  writeFileSync(join(folder, "lib/b.json"), '{"Addr":"https://b:1","TLSConfig":{"CAFile":"/ca"}}');
  writeFileSync(join(folder, "lib/c.json"), "{}");
  writeFileSync(join(folder, "lib/..json"), "{}");
  expect(await pluginNames(folders())).toEqual(["a", "b", "c", "vendor"]);
  expect(await findPlugin(folders(), "a")).toEqual({ name: "a", url: "tcp://10.0.0.1:9000" });
  expect(await findPlugin(folders(), "b")).toEqual({
    name: "b",
    url: "https://b:1",
    tls: { insecure: false, ca: "/ca" },
  });
  await expect(findPlugin(folders(), "c")).rejects.toThrow("it has no Addr");
  for (const name of ["../lib/b", "nosuch", "", "d"])
    expect(await findPlugin(folders(), name)).toBeUndefined();
});
