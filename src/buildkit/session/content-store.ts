import { randomBytes } from "node:crypto";
import { BlobStore } from "../../distribution/blob-store.ts";
import type { BlobPart, PutResult, RemoteManifest, UploadRequest } from "../../distribution/contract.ts";
import { manifestMax } from "../../distribution/protocol/manifests.ts";
import { EngineError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Encodable } from "../../lib/protobuf/schema.ts";
import { mediaTypes } from "../../types/oci.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import {
  contentMethods,
  infoRequest,
  infoResponse,
  readRequest,
  readResponse,
  storeHeader,
  writeAction,
  writeRequest,
  writeResponse,
} from "../messages/content.ts";
import type { Session } from "./session.ts";

/** of one message */
const pieceSize = 1024 * 1024;

/**
 * A folder of the client's that keeps blobs by digest (`--cache-to type=local`, `--cache-from type=local`), by containerd's
 * content service. Names are the client's business: manifests are asked by digest, and it writes its index itself.
 */
export class ClientStore extends BlobStore {
  readonly endpoint: string;
  private readonly session: Session;
  private readonly signal: AbortSignal;
  private readonly metadata: Record<string, string>;

  constructor(session: Session, store: string, signal: AbortSignal) {
    super();
    this.session = session;
    this.signal = signal;
    this.metadata = { [storeHeader]: store };
    this.endpoint = `${session.id} ${store}`;
  }

  async manifest(digest: string): Promise<RemoteManifest> {
    const size = await this.blobSize(digest);
    if (size === undefined) throw new EngineError("notFound", `content ${digest}: not found`);
    if (size > manifestMax)
      throw new EngineError("tooLarge", `the manifest ${digest} is over ${manifestMax} bytes`);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of (await this.blob(digest, 0)).bytes) {
      length += piece.length;
      if (length > size) break;
      pieces.push(piece);
    }
    const bytes = new Uint8Array(Buffer.concat(pieces));
    if (sha256(bytes) !== digest)
      throw new EngineError("invalid", `manifest verification failed for digest ${digest}`);
    return { mediaType: mediaTypeOf(bytes), digest, bytes };
  }

  async blobSize(digest: string): Promise<number | undefined> {
    const { session, metadata, signal } = this;
    try {
      const options = { metadata, signal };
      const { info } = await session.client.unary(
        contentMethods.info,
        infoRequest,
        { digest },
        infoResponse,
        options,
      );
      return info?.size ?? 0;
    } catch (error) {
      if (error instanceof GrpcError && error.code === codes.notFound) return undefined;
      throw error;
    }
  }

  async blob(digest: string, offset: number): Promise<BlobPart> {
    const { session, metadata, signal } = this;
    const stream = session.stream(contentMethods.read, { metadata, signal });
    await stream.send(encode(readRequest, { digest, offset }));
    stream.closeSend();
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for await (const message of stream.messages) yield decode(readResponse, message).data;
    }
    return { start: offset, bytes: bytes() };
  }

  async upload({ digest, source, progress }: UploadRequest): Promise<void> {
    const writer = new Writer(this.session, this.metadata, this.signal);
    try {
      let offset = 0;
      for await (const chunk of source(0))
        for (let at = 0; at < chunk.length; at += pieceSize) {
          const data = chunk.subarray(at, at + pieceSize);
          await writer.ask({ action: writeAction.write, offset, data });
          offset += data.length;
          progress?.(offset);
        }
      await writer.commit(digest(), offset);
    } finally {
      writer.close();
    }
  }

  async putManifest(_tag: string, _mediaType: string, bytes: Uint8Array<ArrayBuffer>): Promise<PutResult> {
    const digest = sha256(bytes);
    async function* source(offset: number): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(offset);
    }
    await this.upload({ digest: () => digest, source });
    return { digest, warnings: [] };
  }
}

/** One blob on its way: each message is answered before the next. */
class Writer {
  private readonly stream: ReturnType<Session["stream"]>;
  private readonly answers: AsyncIterator<Uint8Array>;
  private readonly ref = `berth-${randomBytes(16).toString("hex")}`;
  private begun = false;

  constructor(session: Session, metadata: Record<string, string>, signal: AbortSignal) {
    this.stream = session.stream(contentMethods.write, { metadata, signal });
    this.answers = this.stream.messages[Symbol.asyncIterator]();
  }

  async ask(request: Encodable<typeof writeRequest>): Promise<void> {
    if (!this.begun) {
      this.begun = true;
      await this.exchange({ action: writeAction.stat, ref: this.ref });
    }
    await this.exchange({ ...request, ref: this.ref });
  }

  /** What the client has already counts as written. */
  async commit(expected: string, total: number): Promise<void> {
    try {
      await this.ask({ action: writeAction.commit, expected, total, offset: total });
    } catch (error) {
      if (!(error instanceof GrpcError && error.code === codes.alreadyExists)) throw error;
    }
  }

  close(): void {
    this.stream.closeSend();
  }

  private async exchange(request: Encodable<typeof writeRequest>): Promise<void> {
    await this.stream.send(encode(writeRequest, request));
    const answer = await this.answers.next();
    if (answer.done) throw new EngineError("unavailable", "the client ended a blob before it was whole");
    decode(writeResponse, answer.value);
  }
}

function mediaTypeOf(bytes: Uint8Array): string {
  try {
    const { mediaType } = JSON.parse(new TextDecoder().decode(bytes)) as { mediaType?: unknown };
    return typeof mediaType === "string" ? mediaType : mediaTypes.ociManifest;
  } catch (error) {
    throw new EngineError("invalid", "the manifest is malformed: it is no JSON", { cause: error });
  }
}
