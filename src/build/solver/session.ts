import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import type { Lease } from "../../state/leases.ts";
import type { BuildContext, BuildEvent, BuildRequest, BuildVertex, OpenContext } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import type { Material } from "../export/result.ts";
import type { BuildRecorder } from "../history/record.ts";
import type { Sandboxes } from "../operations/sandboxes.ts";
import type { View } from "../operations/views.ts";
import { Imports } from "../remote-cache/imports.ts";
import type { EventQueue } from "./event-queue.ts";

/** One build while it runs: what its steps share, and what must be given back at its end. */
export class Session {
  readonly ref: string;
  readonly request: BuildRequest;
  readonly deps: BuildContextDeps;
  readonly queue: EventQueue;
  readonly recorder: BuildRecorder;
  readonly lease: Lease;
  readonly sandboxes: Sandboxes;
  /** names the Dockerfile's place in explanations: the same for the same project */
  readonly project: string;
  /** keys of cached results that were used */
  readonly used = new Set<string>();
  /** ids of cache mounts that this build, which takes nothing from the cache, has begun anew */
  readonly freshCaches = new Set<string>();
  /** patterns that steps read of each context; undefined = all */
  needs = new Map<string, string[] | undefined>();
  /** each step's result by its key: what can be exported of the cache */
  readonly made = new Map<string, { layer: string; created: string }>();
  /** digests of what was copied out of layers, by what names it (`build/operations/layer-digests.ts`) */
  readonly digests = new Map<string, string>();
  readonly imports: Imports;
  /** what was downloaded for steps */
  readonly materials: Material[] = [];
  readonly startedAt = Date.now();
  private readonly contexts = new Map<string, Promise<OpenContext>>();
  private readonly views: View[] = [];
  private readonly discarded: string[] = [];

  constructor(parts: {
    ref: string;
    request: BuildRequest;
    deps: BuildContextDeps;
    queue: EventQueue;
    recorder: BuildRecorder;
    lease: Lease;
    sandboxes: Sandboxes;
  }) {
    this.ref = parts.ref;
    this.request = parts.request;
    this.deps = parts.deps;
    this.queue = parts.queue;
    this.recorder = parts.recorder;
    this.lease = parts.lease;
    this.sandboxes = parts.sandboxes;
    this.project = `${parts.request.dockerfile.name} ${parts.request.tags[0] ?? ""}`;
    this.imports = new Imports(this);
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  emit(event: BuildEvent): void {
    this.recorder.event(event);
    this.queue.push(event);
  }

  /** What a step prints; resolves when there is room for more. */
  output(event: BuildEvent & { kind: "log" }): Promise<void> {
    this.recorder.event(event);
    return this.queue.output(event);
  }

  vertex(vertex: BuildVertex): void {
    this.emit({ kind: "vertex", vertex });
  }

  /** What is known of a folder's files from build to build; an unpacked context is never seen again. */
  statCacheOf(root: string): { statCache: string } | undefined {
    const { scratch, stats } = this.deps.paths;
    if (root.startsWith(`${scratch}/`)) return undefined;
    return { statCache: `${stats}/${sha256(root).slice("sha256:".length, 39)}` };
  }

  /** Opens a context once; `name` "" = the main one. */
  context(name: string): Promise<OpenContext> {
    const there = this.contexts.get(name) ?? this.open(name);
    this.contexts.set(name, there);
    return there;
  }

  /** A stack of layers, held until the build ends: its steps look at the same ones again and again. */
  async view(layers: readonly string[]): Promise<string> {
    await this.imports.bring(layers);
    const view = await this.deps.views.acquire(layers);
    this.views.push(view);
    return view.root;
  }

  /** Deletes a file or folder of ours at the build's end. */
  discard(path: string): void {
    this.discarded.push(path);
  }

  /** Gives back everything; the first failure is thrown once all was tried. */
  async close(): Promise<void> {
    const contexts = [...this.contexts.values()].map(async (context) => (await context).close());
    const results = await Promise.allSettled([
      this.sandboxes.close(),
      ...this.views.map((view) => view.release()),
      ...contexts,
      ...this.discarded.map((path) => this.deps.workers.call("removeTree", { path })),
    ]);
    this.lease.end();
    const failed = results.slice(0, 1 + this.views.length).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  private async open(name: string): Promise<OpenContext> {
    const context = this.contextNamed(name);
    if (context === undefined) {
      const root = await this.view([]);
      return { root, ignore: [], close: () => Promise.resolve() };
    }
    const started = Date.now();
    const digest = sha256(`${this.ref} context ${name}`);
    const base = { digest, inputs: [], cached: false, name: titleOf(name), started };
    this.vertex(base);
    const include = this.needs.get(name);
    let current = 0;
    const tell = (completed?: number): void =>
      this.emit({
        kind: "status",
        status: {
          id: "transferring context:",
          vertex: digest,
          current,
          total: 0,
          started,
          ...(completed === undefined ? {} : { completed }),
        },
      });
    try {
      const open = await context.open({
        ...(include === undefined ? {} : { include }),
        signal: this.signal,
        progress: (bytes) => {
          current = bytes;
          tell();
        },
      });
      // of a folder that is read in place nothing is transferred
      if (!open.live) tell(Date.now());
      this.vertex({ ...base, completed: Date.now() });
      return open;
    } catch (error) {
      this.vertex({ ...base, completed: Date.now(), error: messageOf(error) });
      throw error;
    }
  }

  private contextNamed(name: string): BuildContext | undefined {
    if (name === "") return this.request.context;
    const named = this.request.namedContexts.get(name);
    if (named === undefined || !("context" in named))
      throw new EngineError("invalid", `there is no build context named ${name}`);
    return named.context;
  }
}

const titleOf = (name: string): string =>
  name === "" ? "[internal] load build context" : `[context ${name}] load from client`;
