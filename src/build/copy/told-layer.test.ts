import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordFile } from "../../snapshots/record.ts";
import { commit } from "../../snapshots/worker/commit.ts";
import { layerTar } from "../../snapshots/worker/layer-tar.ts";
import { copy } from "./copy.ts";
import type { CopyRequest, CopyResult, TreeRequest } from "./worker/requests.ts";

const work = mkdtempSync(join(tmpdir(), "berth-told-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];

/** All that a context may hold without root: links, odd names and modes, empty, small and large files. */
function context(): string {
  const root = mkdtempSync(join(work, "context-"));
  for (const folder of ["src/deep/er", "src/empty", "src/out/in"])
    mkdirSync(join(root, folder), { recursive: true });
  const files = {
    "src/a": "small",
    "src/nothing": "",
    "src/deep/ü": "ü",
    "src/out/no": "no",
    "src/out/in/yes": "yes",
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  for (const size of [65_535, 65_536, 600_000])
    writeFileSync(join(root, "src/deep/er", `of-${size}`), Buffer.alloc(size, 7));
  writeFileSync(join(root, "src", "n".repeat(150)), "a long name");
  linkSync(join(root, "src/a"), join(root, "src/deep/other name"));
  symlinkSync("../nowhere", join(root, "src/link"));
  chmodSync(join(root, "src/a"), 0o4711);
  chmodSync(join(root, "src/deep"), 0o2770);
  utimesSync(join(root, "src/nothing"), 1_000_000.5, 1_000_000.5);
  utimesSync(join(root, "src/deep"), -5.25, -5.25);
  lutimesSync(join(root, "src/link"), 77.5, 77.5);
  return root;
}

async function copied(
  more: Partial<CopyRequest> & { tree?: Partial<TreeRequest> },
): Promise<{ folder: string; result: CopyResult }> {
  const folder = mkdtempSync(join(work, "layer-"));
  mkdirSync(join(folder, "diff"));
  const { tree, ...request } = more;
  const from = { root: context(), patterns: ["src"], ignore: [], exclude: [], parents: false, ...tree };
  const result = await copy({
    inputs: [{ kind: "tree", tree: from, unpack: false }],
    upper: join(folder, "diff"),
    destination: "/made/here",
    follow: false,
    ...{ uid, gid, chowns: false, chmod: "", scratch: work, tell: true },
    ...request,
  });
  return { folder, result };
}

/** The same folder's layer when it is read instead. */
const read = (folder: string) =>
  commit({
    writes: { kind: "upper", folder: join(folder, "diff"), lower: [], form: "overlay" },
    temporary: `${folder}.new`,
    final: `${folder}.read`,
    consume: true,
    plainSize: false,
  });

const below = (): string => {
  const view = mkdtempSync(join(work, "below-"));
  mkdirSync(join(view, "made/here/deep"), { recursive: true });
  chmodSync(join(view, "made"), 0o711);
  return view;
};

const ways: [string, () => Parameters<typeof copied>[0]][] = [
  ["a folder into a new one", () => ({})],
  ["a folder into the root", () => ({ destination: "/" })],
  ["over what is there below", () => ({ view: below() })],
  ["with another mode", () => ({ chmod: "u=rwX,g=rX,o=" })],
  ["with a latest time, which its folders obey too", () => ({ latest: 1_000_000 })],
  ["with a latest time over what is there below", () => ({ latest: 1_000_000, view: below() })],
  ["without what is left out", () => ({ tree: { ignore: ["src/out", "!src/out/in/yes"], exclude: ["a"] } })],
  ["a file alone", () => ({ tree: { patterns: ["src/a"] }, latest: 2_000_000 })],
  ["a link to a file", () => ({ tree: { patterns: ["src/deep/ü"] }, destination: "/made/here/", latest: 5 })],
];

for (const [what, request] of ways)
  test(`the tar told while it is written is the one that reading the layer gives: ${what}`, async () => {
    const { folder, result } = await copied(request());
    const told = result.told?.layer;
    if (told === undefined) throw new Error("nothing was told");
    for (const checksum of [told.checksum, -1]) {
      const pieces = [...layerTar({ folder, diffId: told.diffId, checksum })];
      expect(pieces.reduce((total, { length }) => total + length, 0)).toBe(told.tarSize);
    }
    expect(await read(folder)).toEqual(told);
  });

test("what comes of several sources is not told", async () => {
  const { folder, result } = await copied({
    tree: { patterns: ["src/a", "src/nothing"] },
    destination: "/x/",
  });
  expect(result.told).toBeUndefined();
  expect(() => [...layerTar({ folder, diffId: "", checksum: -1 })]).toThrow(recordFile);
});
