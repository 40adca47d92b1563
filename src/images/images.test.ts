import { describe, expect, test } from "bun:test";
import type { ImageConfig } from "../types/oci.ts";
import { type Fixture, fixture, pieces } from "./testing/fixture.ts";

const at = (day: number): string => `2020-01-${String(day).padStart(2, "0")}T00:00:00Z`;

let serial = 0;
const diffId = (n: number): string => `sha256:${n.toString(16).padStart(64, "0")}`;

/** Adds an image of its own layer (and those given), made on a day of January 2020. */
function add(
  { images, layers }: Fixture,
  reference: string | undefined,
  fields: {
    day?: number;
    on?: string[];
    parent?: string;
    labels?: Record<string, string>;
    comment?: string;
  } = {},
) {
  const own = diffId(++serial);
  layers.set(own, 100);
  const config: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    created: at(fields.day ?? 1),
    config: { Labels: fields.labels ?? null },
    rootfs: { type: "layers", diff_ids: [...(fields.on ?? []), own] },
    history: [
      ...(fields.on ?? []).map(() => ({})),
      { created_by: "step", created: at(1), comment: fields.comment ?? "" },
      { created_by: "ENV", empty_layer: true },
    ],
  };
  return images.add(config, {
    ...(reference === undefined ? {} : { reference }),
    ...(fields.parent === undefined ? {} : { parent: fields.parent }),
  });
}

describe("finding an image", () => {
  test("by its names, its id and unique beginnings of it", () => {
    const here = fixture();
    const image = add(here, "org/app:1");
    const hex = image.id.slice("sha256:".length);
    for (const name of [
      "org/app:1",
      "docker.io/org/app:1",
      image.id,
      hex,
      hex.slice(0, 6),
      `sha256:${hex.slice(0, 6)}`,
    ])
      expect(here.images.resolve(name).id).toBe(image.id);
    for (const [name, told] of [
      ["org/app", "org/app:latest"],
      ["nosuch", "nosuch:latest"],
      ["sha256:zz", "sha256:zz"],
      [diffId(0), diffId(0)],
    ] as const)
      expect(() => here.images.resolve(name)).toThrow(new Error(`No such image: ${told}`));
    expect(() => here.images.resolve("UPPER")).toThrow("must be lowercase");
  });

  test("a beginning that two ids have names neither", () => {
    const here = fixture();
    const firsts = Array.from({ length: 20 }, () => add(here, undefined).id.charAt("sha256:".length));
    const twice = firsts.find((first, index) => firsts.indexOf(first) < index) ?? "";
    expect(() => here.images.resolve(twice)).toThrow("No such image");
  });

  test("everything is there again after a restart", () => {
    const here = fixture();
    const image = add(here, "a");
    const reopened = here.reopen();
    expect(reopened.inspect("a")).toEqual(here.images.inspect("a"));
    expect(reopened.isNamed("a:latest", image.id)).toBe(true);
    expect(reopened.isNamed("b", image.id)).toBe(false);
    expect(reopened.isNamed("not a name", image.id)).toBe(false);
  });

  test("takes microseconds", () => {
    const here = fixture();
    for (let n = 0; n < 200; n++) add(here, `a${n}`);
    const begin = performance.now();
    for (let n = 0; n < 1000; n++) here.images.resolve("a150");
    expect((performance.now() - begin) / 1000).toBeLessThan(5); // a busy machine is no reason to fail
  });
});

describe("naming", () => {
  test("a tag leaves the image that had it", () => {
    const here = fixture();
    const [one, two] = [add(here, "one"), add(here, "two")];
    here.images.tag("one", "t");
    here.images.tag("two", "t");
    expect(here.images.names(one.id).tags).toEqual(["one:latest"]);
    expect(here.images.names(two.id).tags).toEqual(["t:latest", "two:latest"]);
    expect(here.events().filter((event) => event.startsWith("tag t:")).length).toBe(2);
  });

  test("what cannot be a tag is refused", () => {
    const here = fixture();
    add(here, "a");
    expect(() => here.images.tag("a", `b@${diffId(0)}`)).toThrow(
      new Error("refusing to create a tag with a digest reference"),
    );
    expect(() => here.images.tag("a", "sha256:abc")).toThrow(
      new Error("refusing to create an ambiguous tag using digest algorithm as name"),
    );
    expect(() => here.images.tag("nosuch", "b")).toThrow(new Error("No such image: nosuch:latest"));
  });
});

describe("listing", () => {
  const filled = (): Fixture => {
    const here = fixture();
    add(here, "one:1", { day: 1, labels: { k: "v" } });
    add(here, "dir/two", { day: 2 });
    add(here, undefined, { day: 3, labels: { k: "w" } });
    const base = add(here, undefined, { day: 4 });
    add(here, "child", { day: 5, parent: base.id });
    return here;
  };

  test("newest first, without what only other images stand on", () => {
    const here = filled();
    expect(here.list().map((name) => name.slice(0, 7))).toEqual(["child:l", "sha256:", "dir/two", "one:1"]);
    expect(here.list({}, true)).toHaveLength(5);
  });

  const selections: [filters: Record<string, string[]>, names: string[]][] = [
    [{ dangling: ["false"] }, ["child:latest", "dir/two:latest", "one:1"]],
    [{ label: ["k"], dangling: ["false"] }, ["one:1"]],
    [{ label: ["k=v"] }, ["one:1"]],
    [{ reference: ["one"] }, ["one:1"]],
    [{ reference: ["*"] }, ["child:latest", "one:1"]],
    [{ reference: ["*/*", "*:1"] }, ["dir/two:latest", "one:1"]],
    [{ before: ["dir/two"] }, ["one:1"]],
    [{ since: ["dir/two"], reference: ["*"] }, ["child:latest"]],
    [{ since: ["one:1"], before: ["child"], dangling: ["false"] }, ["dir/two:latest"]],
    [{ until: ["2020-01-02"] }, ["one:1"]],
    [{ until: ["24h"], reference: ["one"] }, ["one:1"]],
  ];
  for (const [filters, names] of selections)
    test(JSON.stringify(filters), () => {
      expect(filled().list(filters)).toEqual(names);
    });

  test("dangling alone are those without a name that no image stands on", () => {
    const here = filled();
    expect(here.list({ dangling: ["true"] })).toHaveLength(1);
    expect(here.list({ dangling: ["true"], label: ["k=w"] })).toHaveLength(1);
    expect(here.list({ dangling: ["true"], label: ["k=v"] })).toHaveLength(0);
  });

  test("filters that are none are refused", () => {
    const here = filled();
    expect(() => here.list({ nope: ["1"] })).toThrow(new Error("invalid filter 'nope'"));
    expect(() => here.list({ dangling: ["maybe"] })).toThrow(new Error("invalid filter 'dangling=[maybe]'"));
    expect(() => here.list({ before: ["gone"] })).toThrow(new Error("No such image: gone:latest"));
    expect(() => here.list({ until: ["x"] })).toThrow(
      new Error('failed to parse value as time or duration: "x"'),
    );
    expect(() => here.list({ reference: ["["] })).toThrow(new Error("syntax error in pattern"));
  });

  test("a summary counts containers, bytes and bytes shared", () => {
    const here = fixture();
    const base = add(here, "base");
    add(here, "child", { on: base.layers, day: 2 });
    here.users.set(base.id, [{ containerId: "c", running: false }]);
    const told = here.images.list(
      { all: false, filters: new Map(), sharedSize: true },
      (id) => here.users.get(id)?.length ?? 0,
    );
    expect(told.map(({ Size, SharedSize, Containers }) => [Size, SharedSize, Containers])).toEqual([
      [200, 100, 0],
      [100, 100, 1],
    ]);
  });
});

test("details, history and removal of another platform than the image's are refused", async () => {
  const here = fixture();
  const { id } = add(here, "one:1");
  const [own, other] = ["amd64", "arm64"].map((architecture) =>
    JSON.stringify({ os: "linux", architecture }),
  );
  expect(here.images.inspect("one:1", own).Id).toBe(id);
  expect(here.images.history("one:1", "linux/amd64")).toHaveLength(2);
  const sentence =
    "image with reference one:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)";
  expect(() => here.images.inspect("one:1", other)).toThrow(sentence);
  expect(() => here.images.history("one:1", other)).toThrow(sentence);
  const removal = { force: false, prune: true, users: () => [] };
  await expect(here.images.remove("one:1", { ...removal, platforms: [other ?? ""] })).rejects.toThrow(
    sentence,
  );
  await here.images.remove("one:1", { ...removal, platforms: [own ?? ""] });
  expect(here.images.count()).toBe(0);
});

test("history tells steps, sizes, and ids of what is here", () => {
  const here = fixture();
  const base = add(here, "base");
  const child = add(here, "child", { on: base.layers, parent: base.id });
  expect(
    here.images.history("child").map(({ Id, Size, CreatedBy, Tags }) => [Id, Size, CreatedBy, Tags]),
  ).toEqual([
    [child.id, 0, "ENV", ["child:latest"]],
    [base.id, 100, "step", ["base:latest"]],
    ["<missing>", 100, "", null],
  ]);
});

describe("removing", () => {
  const c = "c".repeat(64);

  test("one of several names takes only itself away", async () => {
    const here = fixture();
    const image = add(here, "a:1");
    here.images.tag("a:1", "a:2");
    expect(await here.remove("a:1")).toEqual(["Untagged a:1"]);
    expect(here.images.resolve("a:2").id).toBe(image.id);
    expect(here.events().at(-1)).toBe(`untag ${image.id}`);
  });

  test("the last name takes the image and its layers along", async () => {
    const here = fixture();
    const image = add(here, "a");
    expect(await here.remove("a")).toEqual([
      "Untagged a:latest",
      `Deleted ${image.id}`,
      `Deleted ${image.layers[0]}`,
    ]);
    expect([...here.layers]).toEqual([]);
    expect(here.reopen().count()).toBe(0);
    expect(here.events().slice(-2)).toEqual([`untag ${image.id}`, `delete ${image.id}`]);
  });

  test("an id takes the image with one name, and with several only by force", async () => {
    const here = fixture();
    const image = add(here, "a");
    here.images.tag("a", "b");
    const short = image.id.slice(7, 19);
    await expect(here.remove(short)).rejects.toThrow(
      new Error(
        `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
      ),
    );
    expect(await here.remove(short, { force: true })).toEqual([
      "Untagged a:latest",
      "Untagged b:latest",
      `Deleted ${image.id}`,
      `Deleted ${image.layers[0]}`,
    ]);
  });

  test("what a container uses goes by force if the container is stopped, its layers stay", async () => {
    const here = fixture();
    const image = add(here, "a");
    const short = image.id.slice(7, 19);
    here.users.set(image.id, [{ containerId: c, running: false }]);
    here.state.db
      .query(
        "INSERT INTO containers (id, name, image_id, spec, state, created_at) VALUES (?, 'n', ?, ?, '{}', 0)",
      )
      .run(c, image.id, JSON.stringify({ layers: image.layers }));
    await expect(here.remove("a")).rejects.toThrow(
      new Error(
        `conflict: unable to remove repository reference "a" (must force) - container cccccccccccc is using its referenced image ${short}`,
      ),
    );
    await expect(here.remove(short)).rejects.toThrow(
      new Error(
        `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
      ),
    );
    expect(await here.remove("a", { force: true })).toEqual(["Untagged a:latest", `Deleted ${image.id}`]);
    expect([...here.layers.keys()]).toEqual([...image.layers]);
    expect((await here.images.collect(new Set())).layers).toEqual([]);
    const lease = here.leases.open();
    here.state.db.run("DELETE FROM containers");
    expect(here.layers.size).toBe(1);
    lease.end(); // as does the end of the container's snapshot
    await new Promise(setImmediate);
    expect(here.layers.size).toBe(0);
  });

  test("layers that the build cache holds stay, and those below: neither is told as deleted", async () => {
    const here = fixture();
    const cache = (layer: string) =>
      here.state.db
        .query(
          `INSERT INTO build_cache
           (key, kind, description, parents, layer, parts, family, position, files, created, used_at, uses)
           VALUES (?, 'RUN', '', '', ?, x'', '', '', '', '', 0, 1)`,
        )
        .run(layer, layer);
    const base = add(here, "base");
    const built = add(here, "built", {
      on: [...base.layers],
      parent: base.id,
      comment: "buildkit.dockerfile.v0",
    });
    const classic = add(here, "classic");
    cache(built.layers[1] ?? "");
    cache(classic.layers[0] ?? "");
    expect(await here.remove("built")).toEqual(["Untagged built:latest", `Deleted ${built.id}`]);
    expect(await here.remove("base")).toContain(`Deleted ${base.id}`);
    expect(here.layers.has(built.layers[1] ?? "")).toBe(true);
    // the classic builder's cache are the images themselves
    expect(await here.remove("classic")).toContain(`Deleted ${classic.layers[0]}`);
  });

  test("layers that an operation still reads go when it ends", async () => {
    const here = fixture();
    const image = add(here, "a");
    const lease = here.leases.open();
    for (const layer of image.layers) lease.hold("layer", layer);
    await here.remove("a");
    expect([...here.layers.keys()]).toEqual([...image.layers]);
    lease.end();
    await new Promise(setImmediate);
    expect(here.layers.size).toBe(0);
  });

  test("what runs stays, though by force it may lose its name", async () => {
    const here = fixture();
    const image = add(here, "a");
    const short = image.id.slice(7, 19);
    here.users.set(image.id, [{ containerId: c, running: true }]);
    for (const force of [false, true])
      await expect(here.remove(short, { force })).rejects.toThrow(
        new Error(
          `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
        ),
      );
    expect(await here.remove("a", { force: true })).toEqual(["Untagged a:latest"]);
    expect(here.images.byId(image.id)?.id).toBe(image.id);
  });

  test("what another was made from stays, and goes with it once it has no name", async () => {
    const here = fixture();
    const base = add(here, "base");
    const child = add(here, "child", { on: base.layers, parent: base.id });
    const short = base.id.slice(7, 19);
    await expect(here.remove(short, { force: true })).rejects.toThrow(
      new Error(`conflict: unable to delete ${short} (cannot be forced) - image has dependent child images`),
    );
    expect(await here.remove("base")).toEqual(["Untagged base:latest"]);
    const gone = await here.remove("child");
    expect(gone.slice(0, 2)).toEqual(["Untagged child:latest", `Deleted ${child.id}`]);
    expect(gone).toContain(`Deleted ${base.id}`);
    expect(here.images.count()).toBe(0);
    expect([...here.layers]).toEqual([]);
  });

  test("layers below that another image stands on stay", async () => {
    const here = fixture();
    const base = add(here, "base");
    const child = add(here, "child", { on: base.layers });
    const gone = await here.remove("child");
    expect(gone).toHaveLength(3);
    expect([...here.layers.keys()]).toEqual([...base.layers]);
    expect(child.layers).toHaveLength(2);
  });
});

describe("importing", () => {
  const source = () => pieces(Buffer.from("a root"));

  test("the image has the layer, the configuration asked for, and a name", async () => {
    const here = fixture();
    const image = await here.images.import({
      source: source(),
      message: "by hand",
      changes: ["CMD sh", "EXPOSE 90 80/udp", "VOLUME /v /a", "LABEL z=1 b=2"],
      reference: "a:t",
      platform: "linux/arm64",
    });
    expect(image.layers).toEqual([...here.layers.keys()]);
    expect(here.images.inspect("a:t")).toMatchObject({
      Id: image.id,
      Comment: "by hand",
      Architecture: "arm64",
      Os: "linux",
      DockerVersion: "1.2.3",
      Config: { Cmd: ["/bin/sh", "-c", "sh"] },
    });
    const { Config } = here.images.inspect("a:t");
    expect(JSON.stringify([Config?.ExposedPorts, Config?.Volumes, Config?.Labels])).toBe(
      '[{"80/udp":{},"90/tcp":{}},{"/a":{},"/v":{}},{"b":"2","z":"1"}]',
    );
    expect(here.images.history("a:t")).toMatchObject([{ Comment: "by hand", CreatedBy: "", Size: 6 }]);
    expect(here.events()).toEqual(["tag a:t", `import ${image.id}`]);
  });

  const refused: [fields: Record<string, unknown>, sentence: string][] = [
    [{ changes: ["RUN x"] }, "RUN is not a valid change command"],
    [{ reference: "UP" }, "invalid reference format: repository name (library/UP) must be lowercase"],
    [{ reference: `a@${diffId(1)}` }, "cannot import digest reference"],
    [{ platform: "windows" }, "operating system is not supported"],
    [{ platform: "foo" }, '"foo": unknown operating system or architecture: invalid argument'],
    [{ source: pieces(Buffer.from("bad")) }, "unexpected EOF"],
  ];
  for (const [fields, sentence] of refused)
    test(`${JSON.stringify(fields)} is refused and leaves nothing`, async () => {
      const here = fixture();
      const request = { source: source(), message: "m", changes: [], ...fields };
      await expect(here.images.import(request)).rejects.toThrow(new Error(sentence));
      expect(here.images.count()).toBe(0);
      expect([...here.layers]).toEqual([]);
    });
});

test("collecting deletes the layers that nothing holds", async () => {
  const here = fixture();
  const image = add(here, "a");
  for (const n of [1001, 1002, 1003]) here.layers.set(diffId(n), 7);
  here.state.db.run(`INSERT INTO leases VALUES ('l', 'layer', '${diffId(1003)}', ${Date.now() + 60_000})`);
  expect(await here.images.collect(new Set([diffId(1001)]))).toEqual({ layers: [diffId(1002)], bytes: 7 });
  expect([...here.layers.keys()]).toEqual([...image.layers, diffId(1001), diffId(1003)]);
});
