import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebFailure } from "../../build/contexts/web.ts";
import { wrap } from "../../lib/errors.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import { definition, op } from "../messages/ops.ts";
import type { Parts } from "./parts.ts";
import { Progress } from "./progress.ts";
import { fetchWebFile, webSourceOf } from "./web-file.ts";

const digest = `sha256:${"a".repeat(64)}`;

/** As buildx sends it for `-f URL`. */
function graph(identifier: string): Parameters<typeof webSourceOf>[0] {
  const source = encode(op, { source: { identifier, attrs: new Map([["http.filename", "Dockerfile"]]) } });
  const description = new Map([["llb.customname", `[internal] load ${identifier}`]]);
  const def = [source, encode(op, { inputs: [{ digest }] })];
  return decode(definition, encode(definition, { def, metadata: new Map([[digest, { description }]]) }));
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-web-file-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const parts = (fetchContext: () => Promise<unknown>): Parts =>
  ({ builds: { fetchContext } }) as unknown as Parts;
const never = new AbortController().signal;

test("a graph of one web source is a file to read, and no other graph is", () => {
  expect(webSourceOf(graph("https://example.org/D"))).toEqual({
    url: "https://example.org/D",
    filename: "Dockerfile",
    digest,
    name: "[internal] load https://example.org/D",
  });
  expect(webSourceOf(graph("docker-image://x"))).toBeUndefined();
  const other = graph("https://example.org/D");
  expect(webSourceOf({ ...other, def: [...other.def, ...other.def] })).toBeUndefined();
});

test("the file comes with the name that was asked for, and what it took is cleared away", async () => {
  writeFileSync(join(root, "Dockerfile"), "FROM x\n");
  const source = webSourceOf(graph("https://example.org/D"));
  if (source === undefined) throw new Error("no source");
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
  };
  const opened = { root, close };
  const { filename, bytes } = await fetchWebFile(
    parts(async () => opened),
    source,
    new Progress(),
    never,
  );
  expect([filename, new TextDecoder().decode(bytes), closed]).toEqual(["Dockerfile", "FROM x\n", true]);
});

test("a server's refusal is told as BuildKit tells it", async () => {
  const source = webSourceOf(graph("https://example.org/D"));
  if (source === undefined) throw new Error("no source");
  const refused = wrap("error downloading", new WebFailure("invalid", "invalid response status 404"));
  const fetching = fetchWebFile(
    parts(() => Promise.reject(refused)),
    source,
    new Progress(),
    never,
  );
  await expect(fetching).rejects.toThrow(/^failed to load cache key: invalid response status 404$/);
});
