import { join } from "node:path";
import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import { EngineError } from "../lib/errors.ts";
import { type PackedPart, pack } from "../system/compression/compress.ts";
import type { Given, WorkerPort } from "../system/workers/worker.ts";
import { gather } from "../system/workers/worker-stream.ts";
import { compareLines } from "./contents/compare.ts";
import { mergedTar } from "./contents/merge.ts";
import { reportLines } from "./contents/report.ts";
import type { SnapshotChange, SnapshotUsage } from "./contract.ts";
import type { Writes } from "./drivers/driver.ts";
import type { LayerForm } from "./drivers/form.ts";
import { recordFile, tarSizeOf } from "./record.ts";
import { type ApplyRequest, type ApplyResult, apply } from "./worker/apply.ts";
import { listChanges, usageOf } from "./worker/changes.ts";
import { type CommitRequest, commit } from "./worker/commit.ts";
import { type CopyRequest, copyStack } from "./worker/copy.ts";
import { Feed } from "./worker/feed.ts";
import { LayerTar, layerTar, type TarSource } from "./worker/layer-tar.ts";

/** Calls of the snapshots worker by name, and what each takes and gives. `session` names one run of several calls. */
export interface WorkerCalls {
  /** unpacks what `feed` brings; answers when done */
  apply: { args: { session: number; request: ApplyRequest }; result: ApplyResult };
  /** answers once the bytes are used, and their memory may be written again */
  feed: { args: { session: number; bytes: Uint8Array }; result: unknown };
  /** the source is over, or failed with this sentence */
  feedEnd: { args: { session: number; error?: string }; result: unknown };
  commit: { args: CommitRequest; result: ApplyResult };
  tarSize: { args: { folder: string }; result: number };
  layerTar: { args: { session: number; source: TarSource }; result: unknown };
  layerBlob: { args: TarSource & { session: number; how: LayerCompression }; result: unknown };
  /** the next part of a blob; null at its end */
  readBlob: { args: { session: number }; result: PackedPart | null };
  readBlobEnd: { args: { session: number }; result: unknown };
  report: { args: { session: number; folders: string[]; files: boolean }; result: unknown };
  compare: { args: { session: number; before: string[]; after: string[] }; result: unknown };
  merge: { args: { session: number; form: LayerForm; folders: string[]; base: string[] }; result: unknown };
  changes: { args: { writes: Writes }; result: SnapshotChange[] };
  usage: { args: { writes: Writes }; result: SnapshotUsage };
  /** the next bytes of a reading session; null at its end */
  read: { args: { session: number }; result: Uint8Array | null };
  readEnd: { args: { session: number }; result: unknown };
  copy: { args: CopyRequest; result: unknown };
}

const feeds = new Map<number, Feed>();
const readers = new Map<number, Iterator<Uint8Array>>();
const blobs = new Map<number, AsyncGenerator<PackedPart, void>>();

async function runApply({ session, request }: WorkerCalls["apply"]["args"]): Promise<ApplyResult> {
  const feed = new Feed({ untilDone: true });
  feeds.set(session, feed);
  try {
    return await apply(request, feed);
  } finally {
    feeds.delete(session);
    feed.close();
  }
}

function read(session: number): Given | null {
  const reader = readers.get(session);
  if (reader === undefined) throw new EngineError("internal", "the reading session is over");
  return gather(reader);
}

function readEnd(session: number): void {
  readers.get(session)?.return?.();
  readers.delete(session);
}

async function* layerBlob({ how, ...source }: WorkerCalls["layerBlob"]["args"]) {
  const tar = new LayerTar(source);
  try {
    yield* pack((memory) => tar.fill(memory), how);
  } finally {
    tar.close();
  }
}

async function readBlob(session: number): Promise<PackedPart | null> {
  const next = await blobs.get(session)?.next();
  return next?.value ?? null;
}

async function readBlobEnd(session: number): Promise<void> {
  await blobs.get(session)?.return();
  blobs.delete(session);
}

type Answer<Name extends keyof WorkerCalls> = Name extends "read"
  ? Given | null
  : WorkerCalls[Name]["result"];

type Handlers = {
  [Name in keyof WorkerCalls]: (args: WorkerCalls[Name]["args"]) => Promise<Answer<Name>> | Answer<Name>;
};

const handlers: Handlers = {
  apply: runApply,
  feed: ({ session, bytes }) => feeds.get(session)?.push(bytes),
  feedEnd: ({ session, error }) =>
    feeds.get(session)?.end(error === undefined ? undefined : new EngineError("invalid", error)),
  commit: (request) => commit(request),
  tarSize: ({ folder }) => tarSizeOf(join(folder, recordFile)),
  layerTar: ({ session, source }) => void readers.set(session, layerTar(source)),
  layerBlob: (request) => void blobs.set(request.session, layerBlob(request)),
  readBlob: ({ session }) => readBlob(session),
  readBlobEnd: ({ session }) => readBlobEnd(session),
  report: ({ session, folders, files }) => void readers.set(session, reportLines(folders, files)),
  compare: ({ session, before, after }) => void readers.set(session, compareLines(before, after)),
  merge: ({ session, form, folders, base }) => void readers.set(session, mergedTar(form, folders, base)),
  changes: ({ writes }) => listChanges(writes),
  usage: ({ writes }) => usageOf(writes),
  read: ({ session }) => read(session),
  readEnd: ({ session }) => readEnd(session),
  copy: (request) => copyStack(request),
};

export function start(port: WorkerPort): void {
  port.onCall((method, args) => {
    if (!(method in handlers)) throw new EngineError("internal", `the snapshots worker has no ${method}`);
    return handlers[method as keyof Handlers](args);
  });
}
