import type { IncomingHttpHeaders } from "node:http";
import type { Engine } from "../engine/contract.ts";
import { EngineError } from "../lib/errors.ts";
import { decodeJson } from "../lib/go/json/decode.ts";
import type { ObjectShape } from "../lib/go/json/shape.ts";
import { Query } from "./decode/query.ts";
import { mediaTypeFault } from "./media-type.ts";

/** The largest JSON body that is read, bytes. */
export const jsonLimit = 8 * 1024 * 1024;

interface CallInput {
  engine: Engine;
  method: string;
  /** decoded, without the version prefix */
  path: string;
  /** what follows `?` */
  search: string;
  /** of the API, the part behind `1.` */
  minor: number;
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Uint8Array>;
  /** aborts when the client is gone; made on first use */
  signal: () => AbortSignal;
  /** by a unix socket */
  local: boolean;
  /** the named parts of the route */
  params: Readonly<Record<string, string>>;
}

/** One request, ready for its handler. */
export class Call {
  readonly engine: Engine;
  readonly method: string;
  readonly path: string;
  readonly minor: number;
  readonly headers: IncomingHttpHeaders;
  readonly query: Query;
  readonly body: AsyncIterable<Uint8Array>;
  readonly params: Readonly<Record<string, string>>;
  readonly local: boolean;
  private readonly makeSignal: () => AbortSignal;

  constructor(input: CallInput) {
    this.engine = input.engine;
    this.method = input.method;
    this.path = input.path;
    this.minor = input.minor;
    this.headers = input.headers;
    this.body = input.body;
    this.query = new Query(input.search);
    this.params = input.params;
    this.local = input.local;
    this.makeSignal = input.signal;
  }

  get signal(): AbortSignal {
    return this.makeSignal();
  }

  /** The named part of the route; every route that reads one has it. */
  param(name: string): string {
    return this.params[name] ?? "";
  }

  /** Whether the client asks to upgrade to raw bytes in both directions. */
  get upgrades(): boolean {
    return this.headers.upgrade !== undefined;
  }

  /**
   * The JSON body, by its shape. An empty one is an empty object, unless `required`: then it is Docker's EOF error.
   * The caller states the type that the shape describes.
   */
  async json<Body>(shape: ObjectShape, required = false): Promise<Body> {
    const text = await this.jsonText(required);
    return (text === undefined ? {} : decodeJson(text, shape)) as Body;
  }

  /** The body, said to be JSON; undefined where it is empty, unless `required`. */
  async jsonText(required: boolean): Promise<string | undefined> {
    const type = this.headers["content-type"];
    const absent = this.bodyAbsent();
    if (!(type === undefined && absent)) checkJsonType(type);
    if (absent && !required) return undefined;
    return (await this.bytes(jsonLimit)).toString("utf8");
  }

  /** The whole body, refused past `limit` bytes before it is held. */
  bytes(limit: number): Promise<Buffer> {
    return readWhole(this.body, this.headers, limit);
  }

  bodyAbsent(): boolean {
    const length = this.headers["content-length"];
    return this.headers["transfer-encoding"] === undefined && (length === undefined || Number(length) === 0);
  }
}

function checkJsonType(type = ""): void {
  const refuse = (how: string, why: string): never => {
    throw new EngineError("invalid", `${how} Content-Type header (${type}): ${why}`);
  };
  const fault = mediaTypeFault(type);
  if (fault !== undefined) refuse("malformed", `mime: ${fault}`);
  const media = type.split(";", 1)[0]?.trim().toLowerCase();
  if (media !== "application/json") refuse("unsupported", "must be 'application/json'");
}

async function readWhole(
  body: AsyncIterable<Uint8Array>,
  headers: IncomingHttpHeaders,
  limit: number,
): Promise<Buffer> {
  const tooLarge = (): EngineError =>
    new EngineError("tooLarge", `the request body is larger than the ${limit} bytes this endpoint takes`);
  if (Number(headers["content-length"] ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
