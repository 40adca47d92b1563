import { afterAll, beforeEach, expect, test } from "bun:test";
import { sha256 } from "../../lib/digest.ts";
import { parseReference } from "../../lib/reference.ts";
import { mediaTypes } from "../../types/oci.ts";
import { openDistribution } from "../open.ts";

const subject = `sha256:${"a".repeat(64)}`;
const list = `sha256-${"a".repeat(64)}`;

/** by tag or digest */
const manifests = new Map<string, { type: string; text: string }>();
let listsSubjects = false;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const name = new URL(request.url).pathname.replace("/v2/x/manifests/", "");
    if (name === "/v2/") return new Response("{}");
    if (request.method === "PUT") {
      manifests.set(name, {
        type: request.headers.get("content-type") ?? "",
        text: await request.text(),
      });
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
});

async function push(manifest: Record<string, unknown>): Promise<string> {
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
  const { digest } = await target.putManifest("v1", mediaTypes.ociManifest, bytes);
  expect(digest).toBe(sha256(bytes));
  return digest;
}

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

test("a tag that is an image is not written over", async () => {
  for (const [type, text] of [
    [mediaTypes.ociManifest, "{}"],
    [mediaTypes.ociIndex, "{"],
  ] as const) {
    manifests.set(list, { type, text });
    await expect(push({ subject: { digest: subject } })).rejects.toThrow(
      `the tag x:${list} is not a list of what refers to a manifest`,
    );
    expect(manifests.get(list)?.text).toBe(text);
  }
});
