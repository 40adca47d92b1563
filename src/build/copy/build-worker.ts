import { EngineError } from "../../lib/errors.ts";
import { apply } from "../../snapshots/worker/apply.ts";
import { Feed } from "../../snapshots/worker/feed.ts";
import { removeTree } from "../../snapshots/worker/tree.ts";
import type { WorkerPort } from "../../system/worker.ts";
import { copy } from "./copy.ts";
import { digestTree } from "./digest.ts";
import { differingFiles } from "./explain-files.ts";
import { clampTimes, makeFolder } from "./folder.ts";
import { filterOf } from "./ignore.ts";
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

type Handlers = {
  [Name in keyof BuildCalls]: (
    args: BuildCalls[Name]["args"],
  ) => Promise<BuildCalls[Name]["result"]> | BuildCalls[Name]["result"];
};

const handlers: Handlers = {
  digest,
  explain: differingFiles,
  copy,
  makeFolder,
  clampTimes: ({ folder, latest }) => clampTimes(folder, latest),
  unpack,
  feed: ({ session, bytes }) => feeds.get(session)?.push(bytes),
  feedEnd: ({ session, error }) =>
    feeds.get(session)?.end(error === undefined ? undefined : new EngineError("invalid", error)),
  removeTree: ({ path }) => removeTree(path),
};

export function start(port: WorkerPort): void {
  port.onCall((method, args) => {
    if (!(method in handlers)) throw new EngineError("internal", `the build worker has no ${method}`);
    return handlers[method as keyof Handlers](args);
  });
}
