import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../lib/log.ts";
import { State } from "../state/database.ts";
import { EventBus } from "../state/events.ts";
import { removeTree } from "../system/files/tree-remove.ts";
import { fillerPrefix, type Volumes } from "./contract.ts";
import { openVolumes } from "./open.ts";

let dataRoot = "";
let state = State.inMemory();
let events = new EventBus();
const open = () =>
  openVolumes({
    dataRoot,
    state,
    events,
    logger: silentLogger,
    plugins: { sockets: join(dataRoot, "plugins"), specs: [join(dataRoot, "specs")] },
  });

async function fill(volumes: Volumes, name: string, root: string, source: string): Promise<void> {
  const user = `${fillerPrefix}user`;
  await volumes.mount(name, user);
  await volumes.copyUp(name, user, { root, source });
}

beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), "berth-volumes-"));
  state = State.inMemory();
  events = new EventBus();
});
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }));

const actions = () => events.since(0n).map(({ Action, Actor }) => `${Action} ${Actor.ID}`);

describe("creating", () => {
  test("a volume has a folder, a row and an event", async () => {
    const volume = await open().create({ Name: "data", Labels: { k: "v" } });
    expect(volume).toMatchObject({
      Name: "data",
      Driver: "local",
      Labels: { k: "v" },
      Options: null,
      Scope: "local",
    });
    expect(volume.Mountpoint).toBe(join(dataRoot, "volumes/data/_data"));
    expect(volume.CreatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(statSync(volume.Mountpoint).mode & 0o7777).toBe(0o755);
    expect(actions()).toEqual(["create data"]);
  });

  test("a name that is there is told as it is, once, however many ask at once", async () => {
    const volumes = open();
    const made = await Promise.all(
      [1, 2, 3].map((n) => volumes.create({ Name: "data", Labels: { n: `${n}` } })),
    );
    expect(made.map(({ Labels }) => Labels?.["n"])).toEqual(["1", "1", "1"]);
    expect(actions()).toEqual(["create data"]);
  });

  test("without a name it gets a random one and the label of anonymous volumes", async () => {
    const volume = await open().create({ Labels: { k: "v" } });
    expect(volume.Name).toMatch(/^[0-9a-f]{64}$/);
    expect(volume.Labels).toEqual({ k: "v", "com.docker.volume.anonymous": "" });
  });

  const refused: [request: Record<string, unknown>, sentence: string][] = [
    [
      { Name: "a" },
      "create a: volume name is too short, names should be at least two alphanumeric characters",
    ],
    ...["a b", "x/y", ".ab", "-ab", "a:b", "ü12", "../x", "ab\n"].map(
      (name): [Record<string, unknown>, string] => [
        { Name: name },
        `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      ],
    ),
    [
      { Name: "ab", Driver: "nosuch" },
      'create ab: error looking up volume plugin nosuch: plugin "nosuch" not found',
    ],
    [{ Name: "ab", DriverOpts: { nope: "x" } }, 'create ab: invalid option: "nope"'],
    [{ Name: "ab", DriverOpts: { type: "tmpfs" } }, 'create ab: missing required option: "device"'],
    [{ Name: "ab", DriverOpts: { device: "tmpfs" } }, 'create ab: missing required option: "type"'],
    [{ Name: "ab", DriverOpts: { o: "ro" } }, 'create ab: missing required option: "device"'],
    [{ Name: "ab", DriverOpts: { size: "abc" } }, "create ab: invalid size: 'abc'"],
    [{ Name: "ab", DriverOpts: { size: "0" } }, "create ab: invalid size: '0'"],
  ];
  for (const [request, sentence] of refused)
    test(`${JSON.stringify(request)} is refused`, async () => {
      const volumes = open();
      await expect(volumes.create(request)).rejects.toThrow(new Error(sentence));
      expect(readdirSync(join(dataRoot, "volumes"))).toEqual([]);
    });
});

describe("removing", () => {
  test("a pinned volume goes by a force that is meant for it alone", async () => {
    const volumes = open();
    await volumes.create({ Name: "kept" });
    volumes.pin("kept", true);
    const refused = "remove kept: volume is pinned (must be forced)";
    await expect(volumes.remove("kept", { force: false, users: [] })).rejects.toThrow(refused);
    await expect(volumes.remove("kept", { force: true, users: [] })).rejects.toThrow(refused);
    expect(actions()).toEqual(["create kept"]);
    await volumes.remove("kept", { force: true, users: [], pinned: true });
    expect(actions()).toEqual(["create kept", "destroy kept"]);
  });

  test("a volume that containers name stays, by force too", async () => {
    const volumes = open();
    await volumes.create({ Name: "data" });
    for (const force of [false, true])
      await expect(volumes.remove("data", { force, users: ["c1", "c2"] })).rejects.toThrow(
        new Error("remove data: volume is in use - [c1, c2]"),
      );
    expect(volumes.has("data")).toBe(true);
  });

  test("it goes with its folder, row and event, and its name is free", async () => {
    const volumes = open();
    const { Mountpoint } = await volumes.create({ Name: "data" });
    writeFileSync(join(Mountpoint, "f"), "x");
    await volumes.remove("data", { force: false, users: [] });
    expect(existsSync(Mountpoint)).toBe(false);
    expect((await open().list()).volumes).toEqual([]);
    expect(actions()).toEqual(["create data", "destroy data"]);
    expect(readdirSync((await volumes.create({ Name: "data" })).Mountpoint)).toEqual([]);
  });

  test("what is not there is an error, but for force", async () => {
    const volumes = open();
    await expect(volumes.remove("nosuch", { force: false, users: [] })).rejects.toThrow(
      new Error("get nosuch: no such volume"),
    );
    await expect(volumes.inspect("nosuch")).rejects.toThrow(new Error("get nosuch: no such volume"));
    await volumes.remove("nosuch", { force: true, users: [] });
  });
});

describe("after a restart", () => {
  test("volumes are as they were", async () => {
    const before = await open().create({ Name: "data", Labels: { k: "v" } });
    expect(await open().inspect("data")).toEqual(before);
  });

  test("what a crash left is put in order, and data is never deleted", async () => {
    const first = open();
    await first.create({ Name: "lost" });
    rmSync(join(dataRoot, "volumes/lost"), { recursive: true });
    mkdirSync(join(dataRoot, "volumes/empty/_data"), { recursive: true });
    mkdirSync(join(dataRoot, "volumes/full/_data"), { recursive: true });
    writeFileSync(join(dataRoot, "volumes/full/_data/f"), "x");
    mkdirSync(join(dataRoot, "volumes/.0123456789abcdef/_data/x"), { recursive: true });
    const volumes = open();
    await volumes.sweep();
    expect((await volumes.list()).volumes.map(({ Name }) => Name)).toEqual(["full"]);
    expect(readdirSync(join(dataRoot, "volumes"))).toEqual(["full"]);
  });
});

describe("filling a new volume", () => {
  const rootWith = (build: (root: string) => void): string => {
    const root = join(dataRoot, "root");
    mkdirSync(root);
    build(root);
    return root;
  };

  test("contents and links are copied once", async () => {
    const root = rootWith((at) => {
      mkdirSync(join(at, "seed/sub"), { recursive: true });
      writeFileSync(join(at, "seed/f"), "one");
      writeFileSync(join(at, "seed/sub/g"), "two");
      symlinkSync("f", join(at, "seed/l"));
    });
    const volumes = open();
    const { Mountpoint } = await volumes.create({ Name: "data" });
    await fill(volumes, "data", root, "/seed");
    expect(readdirSync(Mountpoint).sort()).toEqual(["f", "l", "sub"]);
    expect(readFileSync(join(Mountpoint, "sub/g"), "utf8")).toBe("two");
    expect(await volumes.size("data")).toBe(7);
    writeFileSync(join(root, "seed/f"), "changed");
    await fill(volumes, "data", root, "/seed");
    expect(readFileSync(join(Mountpoint, "f"), "utf8")).toBe("one");
  });

  test("links on the way stay within the root, links in it are not followed", async () => {
    const secret = join(dataRoot, "secret");
    mkdirSync(secret);
    writeFileSync(join(secret, "key"), "host");
    const root = rootWith((at) => {
      mkdirSync(join(at, "inside"));
      symlinkSync(secret, join(at, "absolute"));
      symlinkSync("../secret", join(at, "relative"));
      symlinkSync(secret, join(at, "inside/link"));
    });
    const volumes = open();
    for (const source of ["absolute", "relative", "../secret", "nosuch"]) {
      const name = `from-${source.replaceAll(/\W/g, "")}`;
      const { Mountpoint } = await volumes.create({ Name: name });
      await fill(volumes, name, root, `/${source}`);
      expect(readdirSync(Mountpoint)).toEqual([]);
    }
    const { Mountpoint } = await volumes.create({ Name: "inside" });
    await fill(volumes, "inside", root, "/inside");
    expect(readdirSync(Mountpoint, { withFileTypes: true }).map((entry) => entry.isSymbolicLink())).toEqual([
      true,
    ]);
  });

  const seed = (at: string): void => {
    mkdirSync(join(at, "seed"));
    for (let n = 0; n < 500; n++) writeFileSync(join(at, `seed/${n}`), "x");
    chmodSync(join(at, "seed"), 0o1750);
  };
  /** How many files anybody saw in the volume while it was filled. */
  const seenWhile = async (filling: Promise<void>, mountpoint: string): Promise<Set<number>> => {
    const seen = new Set<number>();
    const state = { over: false };
    const over = filling.finally(() => {
      state.over = true;
    });
    while (!state.over) {
      try {
        seen.add(readdirSync(mountpoint).length);
      } catch (error) {
        // the empty folder was opened, and replaced before it was read
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
      await new Promise(setImmediate);
    }
    await over;
    return seen.add(readdirSync(mountpoint).length);
  };

  test("a volume is empty or full at every instant, so that a killed engine leaves none half full", async () => {
    const volumes = open();
    const root = rootWith(seed);
    const { Mountpoint } = await volumes.create({ Name: "data" });
    await volumes.mount("data", `${fillerPrefix}other`);
    await volumes.mount("data", `${fillerPrefix}one`);
    const filling = volumes.copyUp("data", `${fillerPrefix}one`, { root, source: "/seed" });
    expect(await seenWhile(filling, Mountpoint)).toEqual(new Set([0, 500]));
    expect(statSync(Mountpoint).mode & 0o7777).toBe(0o1750);
    expect(readdirSync(join(dataRoot, "volumes"))).toEqual(["data"]);
  });

  test("a volume that somebody uses stays the folder it is when it is filled", async () => {
    const volumes = open();
    const root = rootWith(seed);
    const { Mountpoint } = await volumes.create({ Name: "data" });
    const { ino } = statSync(Mountpoint);
    await volumes.mount("data", "somebody");
    await fill(volumes, "data", root, "/seed");
    expect(readdirSync(Mountpoint).length).toBe(500);
    expect(statSync(Mountpoint).ino).toBe(ino);
  });

  test("a volume that cannot be filled is left empty", async () => {
    const root = rootWith((at) => {
      mkdirSync(join(at, "seed"));
      writeFileSync(join(at, "seed/a"), "x");
      mkdirSync(join(at, `seed/${"d/".repeat(1010)}`), { recursive: true });
    });
    const volumes = open();
    const { Mountpoint } = await volumes.create({ Name: "data" });
    await expect(fill(volumes, "data", root, "/seed")).rejects.toThrow("nested over 1000 deep");
    expect(readdirSync(Mountpoint)).toEqual([]);
    await removeTree(root);
  }, 60_000);
});
