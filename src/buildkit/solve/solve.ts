import { randomBytes } from "node:crypto";
import type { BuildResult } from "../../build/contract.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { GrpcError } from "../grpc/status.ts";
import type { solveRequest } from "../messages/control.ts";
import type { Session } from "../session/session.ts";
import { buildFailure } from "./error-details.ts";
import { type Exporter, outputsOf } from "./outputs.ts";
import type { Parts } from "./parts.ts";
import { type Prepared, prepare, withStore } from "./prepare.ts";
import { Progress } from "./progress.ts";
import { fetchWebFile, type WebFile, type WebSource } from "./web-file.ts";

type SolveRequest = Decoded<typeof solveRequest>;
/** Each may be as large as a Dockerfile; clients ask for one. */
const filesMax = 4;

type Attributes = ReadonlyMap<string, string>;

export interface ResultDocument {
  platform: string;
  digest: string;
  bytes: Uint8Array;
}

/**
 * One build as BuildKit's clients drive it. Either the Solve call names a frontend itself, or it stays open while the
 * client asks the bridge for the same build in pieces: `plan` (each a reference to a result), then `settle` with the
 * reference that it wants exported, or with its error.
 */
export class Solve {
  readonly request: SolveRequest;
  readonly progress = new Progress();
  /** how the results were made, once they are */
  documents: readonly ResultDocument[] = [];
  private readonly parts: Parts;
  private readonly ended = new AbortController();
  private readonly planned = new Map<string, Prepared>();
  private readonly files = new Map<string, WebFile>();
  private readonly settled = Promise.withResolvers<Prepared | undefined>();
  private readonly atEnd: (() => Promise<void>)[] = [];
  private dockerfile: Prepared["dockerfile"] | undefined;

  constructor(request: SolveRequest, parts: Parts) {
    this.request = request;
    this.parts = parts;
    // nobody may be waiting when it fails
    this.settled.promise.catch(() => undefined);
  }

  get dockerfileText(): string | undefined {
    return this.dockerfile?.text;
  }

  /** The Solve call: answers what the exporters say of the result. */
  async run(signal: AbortSignal): Promise<Map<string, string>> {
    const stop = (): void => this.ended.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      const prepared = await this.wanted();
      if (!prepared) return new Map();
      const { response } = await this.build(prepared, this.exporters());
      return new Map(Object.entries(response));
    } catch (error) {
      throw this.failure(error);
    } finally {
      signal.removeEventListener("abort", stop);
      this.ended.abort(new GrpcError(1, "context canceled"));
      this.progress.end();
      await this.cleanUp();
    }
  }

  /** Reads a Dockerfile and makes a result of it that can be asked for by the reference returned. */
  async plan(attributes: Attributes, inputs: ReadonlyMap<string, string>): Promise<string> {
    const prepared = await this.prepare(attributes, inputs);
    const reference = randomBytes(16).toString("hex");
    this.planned.set(reference, prepared);
    return reference;
  }

  /** What a subrequest is asked of: the same as a build, which does not run. */
  async prepare(attributes: Attributes, inputs: ReadonlyMap<string, string>): Promise<Prepared> {
    const session = await this.session();
    const { request, parts, progress } = this;
    try {
      const prepared = await prepare(parts, {
        ref: request.ref,
        attributes,
        inputs,
        allow: request.entitlements,
        session,
        tell: (event) => progress.add(event),
        signal: this.ended.signal,
        atEnd: (close) => void this.atEnd.push(close),
      });
      this.dockerfile = prepared.dockerfile;
      return prepared;
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** A file from elsewhere, which the client reads by the reference returned. */
  async fetchFile(source: WebSource): Promise<string> {
    try {
      if (this.files.size >= filesMax) throw new EngineError("invalid", "too many files from elsewhere");
      const file = await fetchWebFile(source, this.progress, this.ended.signal);
      const reference = randomBytes(16).toString("hex");
      this.files.set(reference, file);
      return reference;
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** What `fetchFile` fetched. */
  file(reference: string, path: string): WebFile {
    const file = this.files.get(reference);
    if (file?.filename === path.replace(/^\/+/, "")) return file;
    throw new EngineError("notFound", `open ${path}: no such file or directory`);
  }

  /** Builds what a reference stands for, without exporting it. */
  async evaluate(reference: string): Promise<void> {
    await this.build(this.find(reference), []);
  }

  /**
   * Another build's result under a name that is taken away when this build has ended: what it starts from (`target:`
   * contexts of bake).
   */
  async borrow(other: Solve, reference: string): Promise<string> {
    const name = `berth.internal/result:${randomBytes(16).toString("hex")}`;
    this.atEnd.push(() => this.parts.forgetImage(name));
    await other.build(other.find(reference), [{ type: "image", attrs: new Map([["name", name]]) }]);
    return name;
  }

  /** The client has decided: which result, if any, or which error. */
  settle(outcome: { reference: string } | { error: GrpcError }): void {
    if ("error" in outcome) this.settled.reject(outcome.error);
    else this.settled.resolve(outcome.reference === "" ? undefined : this.find(outcome.reference));
  }

  failure(error: unknown): GrpcError {
    const { reason } = this.ended.signal;
    if (this.ended.signal.aborted && reason instanceof GrpcError) return reason;
    return buildFailure(error, this.dockerfile);
  }

  private async wanted(): Promise<Prepared | undefined> {
    const { frontend, frontendAttrs, definition } = this.request;
    if (frontend !== "") return this.prepare(dockerfileFrontend(frontend, frontendAttrs), new Map());
    if (definition && definition.def.length > 0)
      throw new EngineError("notImplemented", "builds of bare LLB definitions are not supported by berth");
    const aborted = new Promise<never>((_resolve, reject) => {
      this.ended.signal.addEventListener("abort", () => reject(this.ended.signal.reason), { once: true });
    });
    return Promise.race([this.settled.promise, aborted]);
  }

  private async build(prepared: Prepared, exporters: readonly Exporter[]): Promise<BuildResult> {
    const session = await this.session();
    const { outputs, tags, annotations } = outputsOf(exporters, session, this.parts, this.ended.signal);
    const { signal } = this.ended;
    const cacheTo = (this.request.cache?.exports ?? []).map(({ type, attrs }) =>
      withStore({ type, attributes: Object.fromEntries(attrs) }, attrs.get("dest"), session, signal),
    );
    const run = this.parts.builds.build({ ...prepared, outputs, tags, annotations, cacheTo });
    const telling = this.tellAll(run.events);
    try {
      const result = await run.result;
      this.documents = documentsOf(result);
      return result;
    } finally {
      await telling;
    }
  }

  private async tellAll(events: AsyncIterable<Parameters<Progress["add"]>[0]>): Promise<void> {
    for await (const event of events) this.progress.add(event);
  }

  private async cleanUp(): Promise<void> {
    this.files.clear();
    for (const close of this.atEnd.splice(0))
      await close().catch((error) => this.parts.logger.warn("build context", { error: messageOf(error) }));
  }

  private exporters(): Exporter[] {
    const { exporters, exporter, exporterAttrs } = this.request;
    if (exporters.length > 0) return exporters;
    return exporter === "" ? [] : [{ type: exporter, attrs: exporterAttrs }];
  }

  private async session(): Promise<Session> {
    const session = await this.parts.sessions.get(this.request.session, this.ended.signal);
    void session.client.closed.then(() => this.ended.abort(new GrpcError(1, "context canceled")));
    return session;
  }

  private find(reference: string): Prepared {
    const prepared = this.planned.get(reference);
    if (!prepared) throw new EngineError("notFound", `no such result: ${reference}`);
    return prepared;
  }
}

const documentsOf = ({ provenance = new Map() }: BuildResult): ResultDocument[] =>
  [...provenance].map(([platform, predicate]) => {
    const bytes = new TextEncoder().encode(JSON.stringify(predicate));
    return { platform, digest: sha256(bytes), bytes };
  });

/** Images of Dockerfile frontends, which the engine's own stands in for. */
const dockerfileImages = /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@].*)?$/;

/** The attributes, where the frontend is one that the engine has itself. */
export function dockerfileFrontend(frontend: string, attributes: Attributes): Attributes {
  if (frontend === "dockerfile.v0") return attributes;
  const source = attributes.get("source") ?? "";
  if (frontend === "gateway.v0" && dockerfileImages.test(source)) return attributes;
  throw new EngineError(
    "notImplemented",
    frontend === "gateway.v0"
      ? `frontend image ${source} is not supported by berth: Dockerfiles are read by its own`
      : `frontend ${frontend} not found`,
  );
}
