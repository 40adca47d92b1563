import { EngineError } from "../../../lib/errors.ts";
import { apply } from "../../../snapshots/worker/apply.ts";
import { Feed } from "../../../snapshots/worker/feed.ts";
import { removeTree } from "../../../snapshots/worker/tree.ts";
import type { Given, WorkerPort } from "../../../system/workers/worker.ts";
import { gather } from "../../../system/workers/worker-stream.ts";
import { digestTree } from "../contents/digest.ts";
import { differingFiles } from "../contents/explain-files.ts";
import { findPackages } from "../contents/packages.ts";
import { copy } from "../copy.ts";
import { clampTimes, makeFolder, sizeOf } from "../folder.ts";
import { filterOf } from "../ignore.ts";
import { treeTar } from "../tree-tar.ts";
import type { BuildCalls, TreeDigestRequest, UnpackRequest } from "./requests.ts";

/** The thread that reads contexts and writes layers; see `requests.ts` for its calls. */
const feeds = new Map<number, Feed>();

const digest = ({ ignore, exclude, statCache, ...rest }: TreeDigestRequest) =>
  digestTree({ ...rest, statCache, ignore: filterOf(ignore), exclude: filterOf(exclude) });

async function unpack({ session, folder, bytesMax }: UnpackRequest): Promise<{ files: number }> {
  const feed = new Feed();
  feeds.set(session, feed);
  try {
    const request = { temporary: `${folder}.new`, final: folder, form: "overlay", kind: "root" } as const;
    await apply({ ...request, bytesMax, entriesMax: 10_000_000 }, feed);
    return { files: 0 };
  } finally {
    feeds.delete(session);
    feed.close();
  }
}

const tars = new Map<number, Iterator<Uint8Array>>();

function read(session: number): Given | null {
  const tar = tars.get(session);
  const bytes = tar === undefined ? null : gather(tar);
  if (bytes === null) tars.delete(session);
  return bytes;
}

function readEnd(session: number): void {
  tars.get(session)?.return?.();
  tars.delete(session);
}

function tar({ session, ...tree }: BuildCalls["tar"]["args"]): void {
  tars.set(session, treeTar(tree));
}

type Answer<Name extends keyof BuildCalls> = Name extends "read" ? Given | null : BuildCalls[Name]["result"];

type Handlers = {
  [Name in keyof BuildCalls]: (args: BuildCalls[Name]["args"]) => Promise<Answer<Name>> | Answer<Name>;
};

const handlers: Handlers = {
  digest,
  explain: differingFiles,
  copy,
  makeFolder,
  clampTimes: ({ folder, latest }) => clampTimes(folder, latest),
  unpack,
  tar,
  read: ({ session }) => read(session),
  readEnd: ({ session }) => readEnd(session),
  feed: ({ session, bytes }) => feeds.get(session)?.push(bytes),
  feedEnd: ({ session, error }) =>
    feeds.get(session)?.end(error === undefined ? undefined : new EngineError("invalid", error)),
  packages: ({ root }) => findPackages(root),
  sizeOf: ({ path }) => sizeOf(path),
  removeTree: ({ path }) => removeTree(path),
};

export function start(port: WorkerPort): void {
  port.onCall((method, args) => {
    if (!(method in handlers)) throw new EngineError("internal", `the build worker has no ${method}`);
    return handlers[method as keyof Handlers](args);
  });
}
