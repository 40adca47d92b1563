import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { sha256 } from "../../lib/image/digest.ts";
import { mediaTypes } from "../../types/oci.ts";

/** For tests: a registry on loopback that serves what it was given, and misbehaves where it is told to. */
export class FakeRegistry {
  readonly blobs = new Map<string, Uint8Array>();
  /** by tag and by digest */
  readonly manifests = new Map<string, { mediaType: string; bytes: Uint8Array }>();
  /** "GET /v2/…", in their order, with the range where one was asked for */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  /** answers instead of the registry; false = did not */
  meddle: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** uploads that are open, by number */
  readonly uploads: Buffer[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  asked(beginning: string): string[] {
    return this.requests.filter((each) => each.startsWith(beginning));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  addBlob(bytes: Uint8Array): string {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  addManifest(
    tag: string | undefined,
    mediaType: string,
    value: unknown,
  ): { digest: string; size: number; mediaType: string } {
    const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const digest = sha256(bytes);
    this.manifests.set(digest, { mediaType, bytes });
    if (tag !== undefined) this.manifests.set(tag, { mediaType, bytes });
    return { digest, size: bytes.length, mediaType };
  }

  /** An image of these layers (their uncompressed bytes), under a tag. */
  addImage(
    tag: string | undefined,
    layers: readonly Uint8Array[],
    options: { architecture?: string; plain?: boolean } = {},
  ) {
    const blobs = layers.map((layer) => (options.plain ? layer : gzipSync(layer, { level: 1 })));
    const config = Buffer.from(
      JSON.stringify({
        architecture: options.architecture ?? (process.arch === "x64" ? "amd64" : process.arch),
        os: "linux",
        config: { Cmd: ["sh"] },
        rootfs: { type: "layers", diff_ids: layers.map((layer) => sha256(layer)) },
      }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, size: config.length, digest: this.addBlob(config) },
      layers: blobs.map((blob) => ({
        mediaType: mediaTypes.dockerLayerGzip,
        size: blob.length,
        digest: this.addBlob(blob),
      })),
    };
    return { ...this.addManifest(tag, mediaTypes.dockerManifest, manifest), manifest, id: sha256(config) };
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const range = request.headers.range === undefined ? "" : ` ${request.headers.range}`;
    this.requests.push(`${request.method} ${request.url}${range}`);
    this.headers.push(request.headers);
    if (this.meddle(request, response)) return;
    const [, kind, name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? "") ?? [];
    if (request.url === "/v2/") response.end("{}");
    else if (/^\/v2\/.+\/blobs\/uploads\//.test(request.url ?? "")) void this.answerUpload(request, response);
    else if (request.method === "PUT") void this.takeManifest(name, request, response);
    else if (kind === "manifests") this.answerManifest(name, request, response);
    else if (kind === "blobs") this.answerBlob(name, request, response);
    else response.writeHead(404).end();
  }

  /** POST opens (or mounts what is here), PATCH appends, GET tells, PUT closes. */
  private async answerUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://x");
    const mount = url.searchParams.get("mount");
    if (mount !== null && this.blobs.has(mount)) return void response.writeHead(201).end();
    const number =
      request.method === "POST"
        ? this.uploads.push(Buffer.alloc(0)) - 1
        : Number(url.pathname.split("/").at(-1));
    const location = `${request.method === "POST" ? url.pathname : url.pathname.replace(/\d+$/, "")}${number}?state=x`;
    try {
      for await (const bytes of request)
        this.uploads[number] = Buffer.concat([this.uploads[number] ?? Buffer.alloc(0), bytes]);
    } catch {
      return; // the client broke off: what came is kept
    }
    const content = this.uploads[number] ?? Buffer.alloc(0);
    const digest = url.searchParams.get("digest");
    if (digest === null) {
      const range = `0-${Math.max(0, content.length - 1)}`;
      response.writeHead(request.method === "GET" ? 204 : 202, { Location: location, Range: range }).end();
      return;
    }
    const right = sha256(content) === digest;
    if (right) this.blobs.set(digest, content);
    response.writeHead(right ? 201 : 400).end();
  }

  private async takeManifest(
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const bytes = Buffer.concat(await Array.fromAsync(request));
    const mediaType = request.headers["content-type"] ?? "";
    for (const key of [name, sha256(bytes)]) this.manifests.set(key, { mediaType, bytes });
    response.writeHead(201, { "Docker-Content-Digest": sha256(bytes) }).end();
  }

  private answerManifest(name: string, { method }: IncomingMessage, response: ServerResponse): void {
    const found = this.manifests.get(name);
    if (!found) {
      const body = JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });
      response.writeHead(404, { "Content-Type": "application/json" }).end(body);
      return;
    }
    response.writeHead(200, {
      "Content-Type": found.mediaType,
      "Docker-Content-Digest": sha256(found.bytes),
      "Content-Length": found.bytes.length,
    });
    response.end(method === "HEAD" ? undefined : found.bytes);
  }

  private answerBlob(digest: string, request: IncomingMessage, response: ServerResponse): void {
    const blob = this.blobs.get(digest);
    if (!blob) {
      response
        .writeHead(404)
        .end(JSON.stringify({ errors: [{ code: "BLOB_UNKNOWN", message: "blob unknown" }] }));
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const part = blob.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "Content-Length": part.length,
      ...(from > 0 ? { "Content-Range": `bytes ${from}-${blob.length - 1}/${blob.length}` } : {}),
    });
    response.end(part);
  }
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
