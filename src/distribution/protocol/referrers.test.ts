import { afterAll, beforeEach, expect, test } from "bun:test";
import { parseReference } from "../../lib/image/reference.ts";
import { openDistribution } from "../open.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const digest = `sha256:${"a".repeat(64)}`;
const entry = (digit: string, artifactType: string) => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${digit.repeat(64)}`,
  size: 10,
  artifactType,
  annotations: { made: "today" },
});
const index = (...manifests: unknown[]) => JSON.stringify({ schemaVersion: 2, manifests });

let asked: string[] = [];
let answer: (path: string, url: URL) => Response | undefined = () => undefined;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/v2/") return new Response("{}");
    asked.push(url.pathname.replace("/v2/x/", "") + url.search);
    return answer(url.pathname.replace("/v2/x/", ""), url) ?? new Response("{}", { status: 404 });
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  asked = [];
});

const served = (body: string, headers: Record<string, string> = {}) =>
  new Response(body, { headers: { "Content-Type": indexType, ...headers } });

function referrers(artifactType?: string) {
  const distribution = openDistribution({
    insecureRegistries: [],
    mirrors: {},
    proxies: { http: "", https: "", exceptions: "" },
    certificateFolders: [],
    stallMs: 5000,
    userAgent: "test",
  });
  const reference = parseReference(`127.0.0.1:${server.port}/x`);
  const place = { reference, digest, ...(artifactType === undefined ? {} : { artifactType }) };
  return distribution.referrers(place, { signal: new AbortController().signal });
}

test("the API is read page by page, and filtered here where the registry does not", async () => {
  const [sbom, signature] = [entry("1", "sbom"), entry("2", "signature")];
  answer = (path, url) => {
    if (!path.startsWith("referrers/")) return undefined;
    if (url.searchParams.has("next")) return served(index(signature));
    const link = `<${url.pathname}?next=1>; rel="next"`;
    return served(index(sbom), { Link: link });
  };
  expect(await referrers()).toEqual([sbom, signature]);
  expect(asked).toEqual([`referrers/${digest}`, `referrers/${digest}?next=1`]);
  asked = [];
  expect(await referrers("signature")).toEqual([signature]);
  expect(asked[0]).toBe(`referrers/${digest}?artifactType=signature`);
});

test("a registry without the API may have them under a tag, or none at all", async () => {
  answer = (path) => (path.startsWith("manifests/") ? served(index(entry("1", "sbom"))) : undefined);
  expect(await referrers("sbom")).toEqual([entry("1", "sbom")]);
  expect(asked.at(-1)).toBe(`manifests/sha256-${"a".repeat(64)}`);
  answer = () => undefined;
  expect(await referrers()).toEqual([]);
  // a page for people, with status 200, is no such API either
  answer = (path) => (path.startsWith("referrers/") ? new Response("<html>") : undefined);
  expect(await referrers()).toEqual([]);
});

test("malformed lists, lists without end and links elsewhere are refused or left", async () => {
  for (const wrong of [
    "{",
    index({ digest: "x" }),
    index({ ...entry("1", "s"), size: -1 }),
    '{"manifests":7}',
  ]) {
    answer = (path) => (path.startsWith("referrers/") ? served(wrong) : undefined);
    await expect(referrers()).rejects.toThrow("the index of referrers is malformed");
  }
  let page = 0;
  answer = (path) =>
    path.startsWith("referrers/")
      ? served(index(), { Link: `</v2/x/referrers/${digest}?page=${++page}>; rel="next"` })
      : undefined;
  await expect(referrers()).rejects.toThrow(/is over \d+ bytes a page/);
  answer = (path) =>
    path.startsWith("referrers/")
      ? served(index(entry("1", "s")), { Link: '<http://127.0.0.1:1/>; rel="next"' })
      : undefined;
  expect(await referrers()).toHaveLength(1);
});

test("lists whose pages are too much together are refused", async () => {
  let page = 0;
  const long = index({ ...entry("1", "s"), annotations: { text: "x".repeat(3_900_000) } });
  answer = (path) =>
    path.startsWith("referrers/")
      ? served(long, { Link: `</v2/x/referrers/${digest}?page=${++page}>; rel="next"` })
      : undefined;
  await expect(referrers()).rejects.toThrow(/is over .* in all/);
  expect(page).toBe(5);
});
