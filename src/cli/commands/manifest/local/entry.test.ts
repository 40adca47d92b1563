import { expect, test } from "bun:test";
import { sha256 } from "../../../../lib/image/digest.ts";
import { parseReference } from "../../../../lib/image/reference.ts";
import { mediaTypes } from "../../../../types/oci.ts";
import { entryText, fromRemote, indexOf, type LocalManifest, parseEntry, rawOf } from "./entry.ts";
import { isKnownPlatform } from "./platforms.ts";
import { fileName } from "./store.ts";

const raw = '{\n "schemaVersion": 2, "annotations": {"a": "<&>"}}';
const remote = (mediaType: string, Ref = "r.test/a:1") => ({
  Ref,
  Descriptor: {
    mediaType,
    digest: sha256(raw),
    size: raw.length,
    platform: { os: "linux", architecture: "arm", variant: "v7" },
  },
  Raw: Buffer.from(raw).toString("base64"),
});
const docker = fromRemote(remote(mediaTypes.dockerManifest));
const oci = fromRemote(remote(mediaTypes.ociManifest));
const list = parseReference("r.test/list:1");

test("a file has docker's fields in docker's order, escaped as Go does", () => {
  expect(entryText(oci)).toBe(
    `{"Ref":"r.test/a:1","Descriptor":{"mediaType":"${mediaTypes.ociManifest}","digest":"${sha256(raw)}",` +
      `"size":${raw.length},"platform":{"architecture":"arm","os":"linux","variant":"v7"}},` +
      `"Raw":"${oci.Raw}","OCIManifest":{"schemaVersion":2,"annotations":{"a":"\\u003c\\u0026\\u003e"}}}`,
  );
  expect(entryText(docker)).toContain('"SchemaV2Manifest":{');
  expect(parseEntry(entryText(oci), "x")).toEqual(oci);
});

test("an image without a platform has an empty one", () => {
  const text = entryText(oci).replace(/"platform":\{[^}]*\}/, '"platform":null');
  expect(entryText(parseEntry(text, "x"))).toContain('"platform":{"architecture":"","os":""}');
});

test("an index as a member is refused", () => {
  for (const mediaType of [mediaTypes.ociIndex, mediaTypes.dockerIndex])
    expect(() => fromRemote(remote(mediaType))).toThrow("r.test/a:1 is a manifest list");
  expect(() => fromRemote(remote("text/plain"))).toThrow("r.test/a:1 is not a manifest");
});

test("a file that is malformed is refused", () => {
  expect(() => parseEntry("junk", "x")).toThrow(/^invalid character 'j' looking for beginning of value$/);
  for (const text of ["null", "[]", '""', "{}", '{"Ref":1}', '{"Ref":"a","Descriptor":null}'])
    expect(() => parseEntry(text, "/there")).toThrow("invalid manifest file /there");
});

test("bytes that have not the digest of their file are not pushed", () => {
  expect(rawOf(oci)).toBe(oci.Raw ?? "");
  const other: LocalManifest = { ...oci, Raw: Buffer.from(`${raw} `).toString("base64") };
  expect(() => rawOf(other)).toThrow(
    `internal digest mismatch for r.test/a:1: expected ${sha256(raw)}, got `,
  );
});

test("without its bytes a manifest is written as docker's engine did", () => {
  const text = '{\n   "schemaVersion": 2\n}';
  const old = { ...docker, Descriptor: { ...docker.Descriptor, digest: sha256(text) } };
  const { Raw: _, ...bare } = { ...old, SchemaV2Manifest: { schemaVersion: 2 } };
  expect(Buffer.from(rawOf(bare), "base64").toString()).toBe(text);
});

test("an index has the type that its first image asks for", () => {
  expect(indexOf(list, [oci, docker]).mediaType).toBe(mediaTypes.ociIndex);
  expect(indexOf(list, [docker, oci]).mediaType).toBe(mediaTypes.dockerIndex);
  expect(indexOf(list, []).text).toBe(
    `{\n   "schemaVersion": 2,\n   "mediaType": "${mediaTypes.dockerIndex}",\n   "manifests": []\n}`,
  );
});

test("images of another registry, and digests that are none, are refused", () => {
  expect(() => indexOf(parseReference("other.test/a"), [oci], "why: ")).toThrow(
    "why: cannot use source images from a different registry than the target image: r.test != other.test",
  );
  const wrong = { ...oci, Descriptor: { ...oci.Descriptor, digest: "sha256:../x" } };
  expect(() => indexOf(list, [wrong])).toThrow('digest parse of image "r.test/a:1" failed: invalid checksum');
});

test("no reference is a path out of its folder", () => {
  for (const name of [
    "../../x",
    "..",
    "r.test/../a",
    "r.test/a:..",
    "r.test/a:x/../y",
    "/etc/passwd",
    "a\0b",
  ])
    expect(() => parseReference(name)).toThrow();
  expect(fileName(parseReference("r.test:5000/a/b:1"))).toBe("r.test-5000_a_b-1");
  expect(fileName(parseReference("r.test/a:_.."))).toBe("r.test_a-_..");
  expect(fileName(parseReference(`a@sha256:${"0".repeat(64)}`))).toBe(
    `docker.io_library_a@sha256-${"0".repeat(64)}`,
  );
});

test("platforms are those that docker's client takes", () => {
  expect(isKnownPlatform("linux", "riscv64")).toBe(true);
  for (const [os, architecture] of [
    ["linux", ""],
    ["", ""],
    ["linux", "bogus"],
    ["__proto__", "amd64"],
  ] as const)
    expect(isKnownPlatform(os, architecture)).toBe(false);
});
