import { EngineError, type ErrorKind, messageOf } from "../../lib/errors.ts";

/**
 * Workers: threads for what blocks. All have one entry point, `src/worker.ts`, which loads the module of their role.
 * A role's module exports `start(port)` and gets calls through it; see `WorkerPort`.
 */
export type WorkerRole =
  | "archive"
  | "build"
  | "filesync"
  | "names"
  | "network"
  | "runtime"
  | "snapshots"
  | "volumes";

/** The worker's side: register `onCall`, answer with a value or a promise of one, tell facts with `emit`. */
export interface WorkerPort {
  onCall(handler: (method: string, args: never) => unknown): void;
  emit(event: unknown, transfer?: ArrayBuffer[]): void;
}

/** An answer whose memory goes with it, uncopied: the worker must not touch the bytes again. */
export class Given {
  readonly value: Uint8Array<ArrayBuffer>;

  constructor(value: Uint8Array<ArrayBuffer>) {
    this.value = value;
  }
}

export type WorkerModule = { start(port: WorkerPort): void };

export type ToWorker = { role: WorkerRole } | { end: true } | { call: number; method: string; args: unknown };
export type FromWorker =
  | { call: number; value: unknown }
  | { call: number; error: { kind: ErrorKind; message: string; code?: string } }
  | { event: unknown };

const entry = import.meta.url.includes("/$bunfs/")
  ? new URL("./worker.js", import.meta.url) // compiled: every chunk lies beside it
  : new URL("../../worker.ts", import.meta.url);

/** How long a worker may take to end itself, milliseconds. */
const endMs = 1000;

/** The engine's side of one worker. It keeps the process alive only while a call is open. */
export class RoleWorker {
  private readonly worker: Worker;
  private readonly open = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  private serial = 0;
  private listener: (event: never) => void = () => undefined;
  private failed: (error: Error) => void = () => undefined;
  /** why it ended; calls made after that fail at once */
  private failure: Error | undefined;

  constructor(role: WorkerRole) {
    this.worker = new Worker(entry.href, { name: role, ref: false } as WorkerOptions);
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    this.worker.onerror = (event) => {
      this.failure ??= new EngineError("internal", `worker ${role}: ${event.message}`);
      this.fail(this.failure);
      this.failed(this.failure);
    };
    this.send({ role });
  }

  call<Result>(method: string, args: unknown, transfer: ArrayBuffer[] = []): Promise<Result> {
    const call = ++this.serial;
    if (this.failure) return Promise.reject(this.failure);
    return new Promise<Result>((resolve, reject) => {
      this.open.set(call, { resolve, reject });
      this.send({ call, method, args }, transfer);
    });
  }

  onEvent<Event>(listener: (event: Event) => void): void {
    this.listener = listener;
  }

  /** Called once when the thread dies of an error that nothing in it caught. */
  onFailure(listener: (error: Error) => void): void {
    this.failed = listener;
  }

  /** The worker ends itself, which frees what it bound of libraries; by force where something in it blocks. */
  terminate(): Promise<"by itself" | "by force"> {
    const { promise, resolve } = Promise.withResolvers<"by itself" | "by force">();
    const force = setTimeout(() => {
      resolve("by force");
      this.worker.terminate();
    }, endMs).unref();
    this.worker.addEventListener("close", () => {
      clearTimeout(force);
      resolve("by itself");
    });
    this.send({ end: true });
    this.failure ??= new EngineError("internal", "worker ended");
    this.fail(this.failure);
    return promise;
  }

  private send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private receive(message: FromWorker): void {
    if ("event" in message) {
      this.listener(message.event as never);
      return;
    }
    const waiting = this.open.get(message.call);
    this.open.delete(message.call);
    if ("error" in message) {
      const { kind, message: text, code } = message.error;
      waiting?.reject(Object.assign(new EngineError(kind, text), code === undefined ? {} : { code }));
    } else waiting?.resolve(message.value as never);
  }

  private fail(error: Error): void {
    const waiting = [...this.open.values()];
    this.open.clear();
    for (const { reject } of waiting) reject(error);
  }
}

/** How a worker tells an error across the thread border. */
export function toWireError(error: unknown): { kind: ErrorKind; message: string; code?: string } {
  const kind = error instanceof EngineError ? error.kind : "internal";
  const code = (error as { code?: unknown }).code;
  return { kind, message: messageOf(error), ...(typeof code === "string" ? { code } : {}) };
}
