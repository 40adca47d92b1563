import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../lib/image/digest.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import { definition, op } from "../messages/ops.ts";
import { Progress } from "./progress.ts";
import { fetchWebFile, type WebFile, webSourceOf } from "./web-file.ts";

const digest = `sha256:${"a".repeat(64)}`;

/** As buildx sends it for `-f URL`. */
function graph(identifier: string, more: [string, string][] = []): Parameters<typeof webSourceOf>[0] {
  const attrs = new Map([["http.filename", "Dockerfile"] as const, ...more]);
  const source = encode(op, { source: { identifier, attrs } });
  const description = new Map([["llb.customname", `[internal] load ${identifier}`]]);
  const def = [source, encode(op, { inputs: [{ digest }] })];
  return decode(definition, encode(definition, { def, metadata: new Map([[digest, { description }]]) }));
}

const never = new AbortController().signal;

/** Fetches what a server answers. */
async function fetched(answer: () => Response, more: [string, string][] = []): Promise<WebFile> {
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const source = webSourceOf(graph(`${server.url.origin}/D`, more));
  if (source === undefined) throw new Error("no source");
  return await fetchWebFile(source, new Progress(), never);
}

test("a graph of one web source is a file to read, and no other graph is", () => {
  expect(webSourceOf(graph("https://example.org/D"))).toEqual({
    url: "https://example.org/D",
    filename: "Dockerfile",
    checksum: undefined,
    digest,
    name: "[internal] load https://example.org/D",
  });
  expect(webSourceOf(graph("docker-image://x"))).toBeUndefined();
  const other = graph("https://example.org/D");
  expect(webSourceOf({ ...other, def: [...other.def, ...other.def] })).toBeUndefined();
});

test("an attribute that is not honoured is refused by its name", () => {
  expect(() => webSourceOf(graph("https://example.org/D", [["http.perm", "384"]]))).toThrow(
    "http.perm of a web source is not supported",
  );
});

test("the file comes as it is, with the name that was asked for", async () => {
  const packed = gzipSync("FROM x\n");
  for (const sent of [Buffer.from("FROM x\n"), packed, Buffer.alloc(0)]) {
    const { filename, bytes } = await fetched(() => new Response(sent));
    expect([filename, Buffer.from(bytes).equals(sent)]).toEqual(["Dockerfile", true]);
  }
});

test("a file of another checksum is refused", async () => {
  const checksum = sha256("FROM x\n");
  const file = await fetched(() => new Response("FROM x\n"), [["http.checksum", checksum]]);
  expect(Buffer.from(file.bytes).toString()).toBe("FROM x\n");
  const other = fetched(() => new Response("FROM y\n"), [["http.checksum", checksum]]);
  await expect(other).rejects.toThrow(`digest mismatch ${sha256("FROM y\n")}: ${checksum}`);
});

test("a file larger than a Dockerfile may be is refused", async () => {
  const large = fetched(() => new Response(Buffer.alloc((16 << 20) + 1)));
  await expect(large).rejects.toThrow("/D is larger than the 16777216 bytes");
});

test("a server's refusal is told as BuildKit tells it", async () => {
  const refused = fetched(() => new Response("", { status: 404 }));
  await expect(refused).rejects.toThrow(/^failed to load cache key: invalid response status 404$/);
});
