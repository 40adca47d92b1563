import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../lib/image/digest.ts";
import {
  blobPath,
  configText,
  dockerMembers,
  indexOf,
  layerOf,
  type Member,
  manifestJson,
  manifestOf,
  named,
  tarOf,
} from "../testing/archive-fixture.ts";
import { type Fixture, fixture, pieces } from "../testing/fixture.ts";
import { bar } from "../transfer/messages.ts";

async function load(
  { images }: Fixture,
  archive: Uint8Array,
  options: { platform?: string; size?: number } = {},
): Promise<string> {
  const told: string[] = [];
  const platform = options.platform === undefined ? {} : { platform: options.platform };
  for await (const message of images.load({
    source: pieces(archive, options.size),
    quiet: true,
    ...platform,
  }))
    told.push(message.stream?.trim() ?? JSON.stringify(message));
  return told.join(" | ");
}

const layer = layerOf("hello");
const config = configText([layer]);
const manifest = manifestOf(config, layer.bytes);
const index = indexOf([[manifest, named("docker.io/library/a:t")]]);
const ociMembers: Member[] = [
  [blobPath(config), config],
  [blobPath(layer.bytes), layer.bytes],
  [blobPath(manifest), manifest],
  ["index.json", index],
  ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
];

describe("what is loaded", () => {
  const archives: [what: string, archive: Uint8Array, told: string][] = [
    ["an archive of docker save", tarOf(dockerMembers()), "Loaded image: a:t"],
    ["one whose manifest comes first", tarOf(dockerMembers().reverse()), "Loaded image: a:t"],
    [
      "one whose names begin with ./",
      tarOf(dockerMembers().map(([name, content]) => [`./${name}`, content])),
      "Loaded image: a:t",
    ],
    ["one compressed as a whole", gzipSync(tarOf(dockerMembers())), "Loaded image: a:t"],
    [
      "one whose layer is compressed",
      tarOf(dockerMembers({ bytes: gzipSync(layer.bytes), diffId: layer.diffId })),
      "Loaded image: a:t",
    ],
    [
      "one with a linked layer, as Docker wrote what two images share",
      tarOf([
        ["x/layer.tar", layer.bytes],
        ["l/layer.tar", { link: "../x/layer.tar" }],
        ["c.json", config],
        ["manifest.json", manifestJson()],
      ]),
      "Loaded image: a:t",
    ],
    [
      "one without a name",
      tarOf(dockerMembers(layer, config, manifestJson({ RepoTags: null }))),
      `Loaded image ID: ${sha256(config)}`,
    ],
    [
      "one with two names",
      tarOf(dockerMembers(layer, config, manifestJson({ RepoTags: ["a:1", "b:2"] }))),
      "Loaded image: a:1 | Loaded image: b:2",
    ],
    ["an OCI layout", tarOf(ociMembers), "Loaded image: a:t"],
    ["an OCI layout in the opposite order", tarOf([...ociMembers].reverse()), "Loaded image: a:t"],
    ["an archive of no image", tarOf([["manifest.json", "[]"]]), "{}"],
  ];
  for (const [what, archive, told] of archives)
    for (const size of [100, 512, 1 << 20])
      test(`${what}, in pieces of ${size} bytes`, async () => {
        const here = fixture();
        expect(await load(here, archive, { size })).toBe(told);
        expect([...here.layers.keys()]).toEqual(told === "{}" ? [] : [layer.diffId]);
      });

  test("how far each layer has come is told under its short id, at the end at the latest", async () => {
    const source = pieces(tarOf(ociMembers), 512);
    const told: unknown[] = [];
    for await (const message of fixture().images.load({ source, quiet: false })) told.push(message);
    const total = layer.bytes.length;
    expect(told).toContainEqual({
      status: "Loading layer",
      id: layer.diffId.slice("sha256:".length).slice(0, 12),
      progressDetail: { current: total, total },
      progress: bar(total, total),
    });
    expect(told.at(-1)).toEqual({ stream: "Loaded image: a:t\n" });
  });

  test("the configuration's text is kept to the byte, as the id is its digest", async () => {
    const here = fixture();
    const text = configText([layer], {
      extra: { b: 1, a: [2] },
      created: "2020-01-01T00:00:00.100+02:00",
    }).replace("{", "{ \n");
    await load(here, tarOf(dockerMembers(layer, text)));
    expect(here.images.inspect("a:t").Id).toBe(sha256(text));
    expect(here.images.inspect("a:t").Created).toBe("2020-01-01T00:00:00.1+02:00");
    expect(here.state.db.query("SELECT config FROM images").get()).toEqual({ config: text });
  });

  test("layers that are here already may be missing in the archive, or empty there", async () => {
    const here = fixture();
    await load(here, tarOf(dockerMembers()));
    const other = configText([layer], { author: "x" });
    const members = dockerMembers(layer, other, manifestJson({ RepoTags: ["b:t"] }));
    const [name] = members.find(([, content]) => content === layer.bytes) ?? [""];
    const without = members.filter((member) => member[0] !== name);
    expect(await load(here, tarOf(without))).toBe("Loaded image: b:t");
    expect(await load(here, tarOf([...without, [name, ""]]))).toBe("Loaded image: b:t");
    await expect(load(fixture(), tarOf(without))).rejects.toThrow(`open ${name}: no such file or directory`);
  });

  test("a name that another image had moves, and that is said", async () => {
    const here = fixture();
    await load(here, tarOf(dockerMembers()));
    const other = configText([layer], { author: "x" });
    expect(await load(here, tarOf(dockerMembers(layer, other)))).toBe(
      `The image a:t already exists, renaming the old one with ID ${sha256(config)} to empty string | Loaded image: a:t`,
    );
    expect(here.images.resolve("a:t").id).toBe(sha256(other));
    expect(here.events()).toEqual([`load ${sha256(config)}`, `load ${sha256(other)}`]);
  });

  test("of an index the manifest of this machine or of the platform asked for, through indexes in it", async () => {
    const arm = configText([layer], { architecture: "arm64" });
    const armManifest = manifestOf(arm, layer.bytes);
    const inner = indexOf([
      [armManifest, { platform: { os: "linux", architecture: "arm64" } }],
      [manifest, { platform: { os: "linux", architecture: "amd64" } }],
    ]);
    const archive = tarOf([
      ...[layer.bytes, config, arm, manifest, armManifest, inner].map(
        (blob): Member => [blobPath(blob), blob],
      ),
      ["index.json", indexOf([[inner, named("docker.io/library/a:t")]])],
    ]);
    const here = fixture();
    const host = process.arch === "x64" ? config : arm;
    await load(here, archive);
    expect(here.images.resolve("a:t").id).toBe(sha256(host));
    for (const [platform, text] of [
      ["linux/arm64", arm],
      ['{"os":"linux","architecture":"amd64"}', config],
    ] as const) {
      await load(here, archive, { platform });
      expect(here.images.resolve("a:t").id).toBe(sha256(text));
    }
    expect(await load(fixture(), archive, { platform: "linux/s390x" })).toBe("{}");
  });

  test("the oldest archives, which have no manifest", async () => {
    const base = { id: "abc", os: "linux", architecture: "amd64", created: "2014-01-01T00:00:00Z" };
    const here = fixture();
    const archive = tarOf([
      ["abc/json", JSON.stringify(base)],
      ["abc/layer.tar", layer.bytes],
      ["def/json", JSON.stringify({ ...base, id: "def", parent: "abc", config: { Cmd: ["x"] } })],
      ["def/layer.tar", layerOf("second").bytes],
      ["repositories", '{"old":{"1":"def"}}'],
    ]);
    expect(await load(here, archive)).toBe("Loaded image: old:1");
    expect(here.images.resolve("old:1").layers).toEqual([layer.diffId, layerOf("second").diffId]);
    expect(here.images.resolve("old:1").config.config?.Cmd).toEqual(["x"]);
  });
});

describe("what is refused leaves nothing", () => {
  const other = layerOf("other");
  const nested = (depth: number): Member[] => {
    let top = indexOf([[manifest]]);
    const members: Member[] = [[blobPath(top), top]];
    for (let level = 0; level < depth; level++) {
      top = indexOf([[top]]);
      members.push([blobPath(top), top]);
    }
    return [...ociMembers.slice(0, 3), ...members, ["index.json", indexOf([[top, named("a:t")]])]];
  };
  const refused: [what: string, archive: Uint8Array, sentence: string][] = [
    ["a truncated archive", tarOf(dockerMembers()).slice(0, 3000), "unexpected EOF"],
    ["text", Buffer.from("nonsense\n"), "unexpected EOF"],
    ["nothing", new Uint8Array(), "open repositories: no such file or directory"],
    [
      "a compressed archive that ends early",
      gzipSync(tarOf(dockerMembers())).slice(0, 100),
      "unexpected EOF",
    ],
    ["a missing configuration", tarOf(dockerMembers().slice(1)), "open c.json: no such file or directory"],
    [
      "a missing layer",
      tarOf(dockerMembers().filter(([name]) => name !== "l/layer.tar")),
      "open l/layer.tar: no such file or directory",
    ],
    [
      "a layer of another digest",
      tarOf(dockerMembers(layer, configText([other]))),
      `invalid diffID for layer 0: expected "${other.diffId}", got "${layer.diffId}"`,
    ],
    [
      "more layers than the configuration has",
      tarOf(dockerMembers(layer, config, manifestJson({ Layers: ["l/layer.tar", "l/layer.tar"] }))),
      "invalid manifest, layers length mismatch: expected 2, got 1",
    ],
    [
      "a null manifest",
      tarOf([["manifest.json", "null"]]),
      "invalid manifest, manifest cannot be null (but can be [])",
    ],
    [
      "a manifest that is no list",
      tarOf([["manifest.json", "{}"]]),
      "json: cannot unmarshal object into Go value of type []tarexport.manifestItem",
    ],
    [
      "a manifest of 100 MB",
      tarOf([["manifest.json", `[${" ".repeat(9 * 1024 * 1024)}]`]]),
      "over the limit",
    ],
    [
      "a configuration without layers",
      tarOf(dockerMembers(layer, '{"os":"linux"}')),
      "invalid image JSON, no RootFS key",
    ],
    [
      "a configuration of wrong types",
      tarOf(dockerMembers(layer, configText([layer], { config: { Env: "A=1" } }))),
      "config.Env is malformed",
    ],
    [
      "a history of more layers than there are",
      tarOf(dockerMembers(layer, configText([layer], { history: [{}, {}] }))),
      "too many non-empty layers in History section",
    ],
    [
      "an image of another system",
      tarOf(dockerMembers(layer, configText([layer], { os: "windows" }))),
      "cannot load windows image on linux",
    ],
    [
      "a name that is none",
      tarOf(dockerMembers(layer, config, manifestJson({ RepoTags: ["UP:t"] }))),
      "invalid reference format: repository name (library/UP) must be lowercase",
    ],
    [
      "a name without a tag",
      tarOf(dockerMembers(layer, config, manifestJson({ RepoTags: ["a"] }))),
      'invalid tag "a"',
    ],
    ["a member above the archive", tarOf([["../x", "y"], ...dockerMembers()]), 'invalid entry name "../x"'],
    [
      "a manifest that names a file above the archive",
      tarOf(dockerMembers(layer, config, manifestJson({ Config: "../../etc/passwd" }))),
      "which leads nowhere in it",
    ],
    [
      "a link out of the archive",
      tarOf([["c.json", { link: "../../etc/passwd" }], ...dockerMembers().slice(1)]),
      "outside of the archive",
    ],
    [
      "a link to an absolute path",
      tarOf([["c.json", { link: "/etc/passwd" }], ...dockerMembers().slice(1)]),
      "open c.json: no such file or directory",
    ],
    [
      "links that go round",
      tarOf([["c.json", { link: "d.json" }], ["d.json", { link: "c.json" }], ...dockerMembers().slice(1)]),
      "which leads nowhere in it",
    ],
    ["a device", tarOf([["dev", { device: true }], ...dockerMembers()]), "no image archive holds"],
    [
      "a blob of another digest",
      tarOf(ociMembers.map(([name, content]) => [name, name === blobPath(config) ? `${config} ` : content])),
      "not",
    ],
    [
      "a blob of another digest and the same size",
      tarOf(
        ociMembers.map(([name, content]) => [
          name,
          name === blobPath(config) ? config.replace("sh", "hs") : content,
        ]),
      ),
      "has another digest",
    ],
    [
      "a layer blob of another digest",
      tarOf(
        ociMembers.map(([name, content]) => [name, name === blobPath(layer.bytes) ? other.bytes : content]),
      ),
      "has another digest",
    ],
    ["indexes nested too deep", tarOf(nested(9)), "nested over 8 deep"],
  ];
  for (const [what, archive, sentence] of refused)
    test(what, async () => {
      const here = fixture();
      await expect(load(here, archive)).rejects.toThrow(sentence);
      expect(here.images.count()).toBe(0);
      expect([...here.layers]).toEqual([]);
      expect(here.state.db.query("SELECT * FROM leases").all()).toEqual([]);
    });

  test("an index that names itself many times is soon given up", async () => {
    const child = indexOf(Array.from({ length: 200 }, () => [indexOf([])]));
    const middle = indexOf(Array.from({ length: 200 }, () => [child]));
    const archive = tarOf([
      ...[indexOf([]), child, middle].map((blob): Member => [blobPath(blob), blob]),
      ["index.json", indexOf([[middle]])],
    ]);
    await expect(load(fixture(), archive)).rejects.toThrow("over 10000 manifests");
  });

  test("the images before a wrong one stay", async () => {
    const here = fixture();
    const two = JSON.stringify([
      ...JSON.parse(manifestJson()),
      { Config: "d.json", RepoTags: ["b:t"], Layers: ["l/layer.tar"] },
    ]);
    await expect(load(here, tarOf([...dockerMembers(layer, config, two), ["d.json", "{"]]))).rejects.toThrow(
      "unexpected end of JSON input",
    );
    expect(here.list()).toEqual(["a:t"]);
  });
});
