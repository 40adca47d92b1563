/**
 * A registry that serves a folder as it is, right or wrong: what it has is made by a test, blob by blob. It runs as a
 * process of its own in an engine's network namespace:
 *
 *     <folder>/manifests/<tag or digest>    their `mediaType` is told
 *     <folder>/blobs/<digest>
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../support/archives.ts";
import type { TestEngine } from "./engine.ts";
import { RegistryProcess } from "./registry-process.ts";

const gzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** One layer of an image that is to be: its blob, and the digest that its tar is said to have. */
export interface ServedLayer {
  blob: Uint8Array;
  diffId: string;
  mediaType?: string;
}

export class StaticRegistry extends RegistryProcess {
  async addBlob(bytes: Uint8Array): Promise<{ digest: string; size: number }> {
    const digest = digestOf(bytes);
    await writeFile(join(this.folder, "blobs", digest), bytes);
    return { digest, size: bytes.length };
  }

  async addManifest(tag: string, manifest: Record<string, unknown>): Promise<string> {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, ...manifest }));
    const digest = digestOf(bytes);
    for (const name of [tag, digest]) await writeFile(join(this.folder, "manifests", name), bytes);
    return digest;
  }

  /** Gives the manifest's digest. */
  async addImage(tag: string, layers: readonly ServedLayer[]): Promise<string> {
    const config = Buffer.from(JSON.stringify(imageConfig(layers)));
    return this.addManifest(tag, {
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(await this.addBlob(config)) },
      layers: await Promise.all(
        layers.map(async ({ blob, mediaType = gzipLayer }) => ({ mediaType, ...(await this.addBlob(blob)) })),
      ),
    });
  }
}

/** A configuration that fits these layers. */
export const imageConfig = (layers: readonly Pick<ServedLayer, "diffId">[]) => ({
  architecture: process.arch === "x64" ? "amd64" : process.arch,
  os: "linux",
  config: { Cmd: ["sh"] },
  rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
});

export async function startStaticRegistry(engine: TestEngine, port: number): Promise<StaticRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "berth-static-registry-"));
  for (const name of ["blobs", "manifests"]) await mkdir(join(folder, name));
  const child = Bun.spawn(
    engine.inNetwork([process.execPath, import.meta.path, "127.0.0.1", String(port), folder]),
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const registry = new StaticRegistry(folder, `127.0.0.1:${port}`, child);
  const { value } = await child.stdout.getReader().read();
  if (value !== undefined) return registry;
  await registry.destroy();
  throw new Error("the registry did not start");
}

async function answer(folder: string, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/v2/") return new Response("{}");
  const [, kind, name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([\w.:-]+)$/.exec(pathname) ?? [];
  const file = Bun.file(join(folder, kind ?? "", name));
  if (kind === undefined || !(await file.exists())) return new Response("{}", { status: 404 });
  const type = kind === "manifests" ? (await file.json()).mediaType : "application/octet-stream";
  return new Response(request.method === "HEAD" ? null : file, {
    headers: {
      "Content-Type": type,
      "Content-Length": String(file.size),
      "Docker-Content-Digest": kind === "manifests" ? digestOf(await file.bytes()) : name,
    },
  });
}

if (import.meta.main) {
  const [hostname = "", port = "", folder = ""] = process.argv.slice(2);
  Bun.serve({ hostname, port: Number(port), fetch: (request) => answer(folder, request) });
  console.log("ready");
}
