import { afterAll, beforeEach, expect, test } from "bun:test";
import { sha256 } from "../../lib/image/digest.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { mediaTypes } from "../../types/oci.ts";
import type { PutResult } from "../contract.ts";
import { openDistribution } from "../open.ts";

const subject = `sha256:${"a".repeat(64)}`;
const list = `sha256-${"a".repeat(64)}`;

/** by tag or digest */
const manifests = new Map<string, { type: string; text: string }>();
let listsSubjects = false;
/** requests for the list that are answered with a failure */
let stumbles = 0;
/** what another client does at a request */
let meddle: (method: string, name: string) => void = () => undefined;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const name = new URL(request.url).pathname.replace("/v2/x/manifests/", "");
    if (name === "/v2/") return new Response("{}");
    if (name === list && stumbles-- > 0) return new Response("{}", { status: 500 });
    if (request.method === "PUT") {
      const text = await request.text();
      manifests.set(name, { type: request.headers.get("content-type") ?? "", text });
      meddle(request.method, name);
      return new Response("", { status: 201, headers: listsSubjects ? { "OCI-Subject": subject } : {} });
    }
    const found = manifests.get(name);
    if (found === undefined) return new Response("{}", { status: 404 });
    return new Response(found.text, { headers: { "Content-Type": found.type } });
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  manifests.clear();
  listsSubjects = false;
  stumbles = 0;
  meddle = () => undefined;
});

const push = async (manifest: Record<string, unknown>): Promise<string> => (await pushed(manifest)).digest;

async function pushed(manifest: Record<string, unknown>): Promise<PutResult> {
  const distribution = openDistribution({
    insecureRegistries: [],
    mirrors: {},
    proxies: { http: "", https: "", exceptions: "" },
    certificateFolders: [],
    stallMs: 5000,
    userAgent: "test",
  });
  const signal = new AbortController().signal;
  const target = distribution.target(parseReference(`127.0.0.1:${server.port}/x`), { signal });
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const result = await target.putManifest("v1", mediaTypes.ociManifest, bytes);
  expect(result.digest).toBe(sha256(bytes));
  return result;
}

const listedDigests = (): string[] =>
  (listed() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest).toSorted();

const listed = (): unknown => JSON.parse(manifests.get(list)?.text ?? "null");

test("what has a subject is listed once under the subject's tag, beside what is there", async () => {
  const first = { config: { mediaType: "application/vnd.example" }, subject: { digest: subject } };
  const second = { ...first, artifactType: "sbom", annotations: { made: "today" } };
  const digests = [await push(first), await push(second), await push(first)];
  const entry = (at: number, manifest: unknown, rest: object) => ({
    mediaType: mediaTypes.ociManifest,
    digest: digests[at],
    size: JSON.stringify(manifest).length,
    ...rest,
  });
  expect(manifests.get(list)?.type).toBe(mediaTypes.ociIndex);
  expect(listed()).toEqual({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [
      entry(0, first, { artifactType: "application/vnd.example" }),
      entry(1, second, { artifactType: "sbom", annotations: { made: "today" } }),
    ],
  });
});

test("what other clients wrote into the list stays", async () => {
  const before = {
    schemaVersion: 2,
    manifests: [{ digest: "other", note: 1 }],
    annotations: { by: "other" },
  };
  manifests.set(list, { type: mediaTypes.ociIndex, text: JSON.stringify(before) });
  const digest = await push({ subject: { digest: subject } });
  expect(listed()).toMatchObject({ ...before, manifests: [{ digest: "other", note: 1 }, { digest }] });
});

test("nothing is listed without a subject, or where the registry does it", async () => {
  await push({});
  listsSubjects = true;
  await push({ subject: { digest: subject } });
  expect([...manifests.keys()]).toEqual(["v1"]);
});

test("what this engine pushes at the same time is listed whole", async () => {
  const digests = await Promise.all([1, 2, 3, 4].map((made) => push({ made, subject: { digest: subject } })));
  expect(listedDigests()).toEqual(digests.toSorted());
});

test("what another client writes over is listed again, and given up where that never ends", async () => {
  let times = 0;
  const other = JSON.stringify({ schemaVersion: 2, manifests: [{ digest: "other" }] });
  meddle = (_method, name) => {
    if (name === list && times-- > 0) manifests.set(list, { type: mediaTypes.ociIndex, text: other });
  };
  times = 2;
  const { digest, warnings } = await pushed({ subject: { digest: subject } });
  expect(warnings).toEqual([]);
  expect(listedDigests()).toEqual(["other", digest].toSorted());
  manifests.delete(list);
  times = 100;
  expect((await pushed({ subject: { digest: subject } })).warnings).toEqual([
    expect.stringContaining(`others write x:${list} all the time`),
  ]);
  expect(times).toBe(90);
}, 30_000); // it waits ten times, longer where requests take longer

test("what a client writes over that had read before is listed again too", async () => {
  const other = JSON.stringify({ schemaVersion: 2, manifests: [{ digest: "other" }] });
  let late = true;
  meddle = (_method, name) => {
    if (name !== list || !late) return;
    late = false;
    setTimeout(() => manifests.set(list, { type: mediaTypes.ociIndex, text: other }), 10);
  };
  const digest = await push({ subject: { digest: subject } });
  expect(listedDigests()).toEqual(["other", digest].toSorted());
});

test("a registry that stumbles over the list is asked again", async () => {
  stumbles = 2;
  const { digest, warnings } = await pushed({ subject: { digest: subject } });
  expect([warnings, listedDigests()]).toEqual([[], [digest]]);
});

test("a tag that is an image is not written over, which is a warning: the push itself was done", async () => {
  for (const [type, text] of [
    [mediaTypes.ociManifest, "{}"],
    [mediaTypes.ociIndex, "{"],
  ] as const) {
    manifests.set(list, { type, text });
    expect((await pushed({ subject: { digest: subject } })).warnings).toEqual([
      expect.stringContaining(`the tag x:${list} is not a list of what refers to a manifest`),
    ]);
    expect(manifests.get(list)?.text).toBe(text);
  }
});
