import { EngineError, isKind } from "../../lib/errors.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { mappedRoot } from "../../lib/users/id-map.ts";
import { Feed } from "../../snapshots/worker/feed.ts";
import { decompress } from "../../system/compression/decompress.ts";
import { close, cwdFd, fileType, flags, readLink, statFd, toBytes, toText } from "../../system/files/at.ts";
import { openInsideRaw, openRootView, type RootView, reopen } from "../../system/files/root-view.ts";
import type { Given, WorkerPort } from "../../system/workers/worker.ts";
import { gather } from "../../system/workers/worker-stream.ts";
import type { PathStat } from "../contract.ts";
import { Extractor, openTarget } from "./extract.ts";
import { inGo } from "./failure.ts";
import { readLocal } from "./local-source.ts";
import { packTree } from "./pack.ts";
import { findPath } from "./path-stat.ts";
import { absolutePath, cleaned, isWithin } from "./paths.ts";
import type { ArchiveCalls, ExtractRequest, ViewRequest } from "./worker-calls.ts";

const feeds = new Map<number, Feed>();
const readers = new Map<number, Iterator<Uint8Array>>();

const viewOf = ({ root, mounts, readOnly, remap }: ViewRequest): RootView =>
  openRootView(root, mounts, readOnly, remap && mappedRoot(remap));

function stat({ path, ...request }: ArchiveCalls["stat"]["args"]): PathStat {
  const view = viewOf(request);
  try {
    const found = findPath(view.root, path);
    close(found.fd);
    return found.stat;
  } finally {
    view.close();
  }
}

/** The path is looked up at once; the view stays until all is read. */
function pack({ session, request }: ArchiveCalls["pack"]["args"]): PathStat {
  const view = viewOf(request);
  try {
    const path = absolutePath(request.path ?? "/");
    const found = findPath(view.root, path);
    const name = request.path === undefined ? "" : nameOf(found.stat);
    readers.set(session, packing(view, packTree(found.fd, name, request.remap), found.fd));
    return found.stat;
  } catch (error) {
    view.close();
    throw error;
  }
}

const nameOf = ({ name }: PathStat): string => Buffer.from(name, "utf8").toString("latin1");

/** An iterator by hand: a generator that was never begun would not run its `finally`. */
function packing(view: RootView, bytes: Generator<Uint8Array>, fd: number): Iterator<Uint8Array> {
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    close(fd);
    view.close();
  };
  return {
    next: () => {
      const step = bytes.next();
      if (step.done) end();
      return step;
    },
    return: () => {
      bytes.return(undefined);
      end();
      return { value: undefined, done: true };
    },
  };
}

function read({ session }: { session: number }): Given | null {
  const reader = readers.get(session);
  const bytes = reader === undefined ? null : gather(reader);
  if (bytes === null) readers.delete(session);
  return bytes;
}

function readEnd({ session }: { session: number }): void {
  readers.get(session)?.return?.();
  readers.delete(session);
}

async function extract({ session, request }: ArchiveCalls["extract"]["args"]): Promise<void> {
  const feed = new Feed({ untilDone: true });
  feeds.set(session, feed);
  try {
    const view = viewOf(request);
    try {
      await extractInto(view, request, feed);
    } finally {
      view.close();
    }
  } finally {
    feeds.delete(session);
    feed.close();
  }
}

/** Copies that run, and whether somebody still waits for them. */
const copies = new Map<number, { cancelled: boolean }>();

async function copyLocal({ session, request, source }: ArchiveCalls["copyLocal"]["args"]): Promise<{
  bytes: number;
}> {
  const copy = { cancelled: false };
  copies.set(session, copy);
  const view = viewOf(request);
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of readLocal(source, () => copy.cancelled)) {
      bytes += piece.length;
      yield piece;
    }
  };
  try {
    await extractInto(view, request, counted());
    return { bytes };
  } finally {
    view.close();
    copies.delete(session);
  }
}

function cancelCopy({ session }: { session: number }): void {
  const copy = copies.get(session);
  if (copy) copy.cancelled = true;
}

async function extractInto(
  view: RootView,
  request: ExtractRequest,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const target = openTarget(view.root, cleaned(request.path));
  let top: number;
  let called: string;
  try {
    called = pathInside(view, target);
    checkTarget(request, called, statFd(target).mode);
    top = reopen(target);
  } finally {
    close(target);
  }
  const pathOf = (fd: number): string => pathInside(view, fd);
  const mountPoints = (): string[] => mountPointsOf(view, request);
  const extractor = new Extractor(
    { top, called, pathOf, mountPoints, remap: request.remap },
    request.options,
  );
  try {
    const reader = new TarReader(extractor);
    for await (const bytes of decompress(source)) reader.push(bytes);
    reader.finish();
    extractor.finish();
  } catch (error) {
    // what is wrong with an archive is no fault of the request, to Docker
    throw isKind(error, "invalid") ? new EngineError("internal", error.message, { cause: error }) : error;
  } finally {
    extractor.close();
    close(top);
  }
}

/** The path of a descriptor as the container has it. */
function pathInside(view: RootView, fd: number): string {
  const top = toText(readLink(cwdFd, `/proc/self/fd/${view.root}`));
  const path = toText(readLink(cwdFd, `/proc/self/fd/${fd}`));
  return top === "/" || !isWithin(top, path) ? path : path.slice(top.length) || "/";
}

function mountPointsOf(view: RootView, { mounts }: ViewRequest): string[] {
  return mounts.flatMap(({ destination }) => {
    const fd = openInsideRaw(view.root, toBytes(destination), flags.path);
    if (fd < 0) return []; // moved away by the container
    try {
      return [pathInside(view, fd)];
    } finally {
      close(fd);
    }
  });
}

function checkTarget(request: ExtractRequest, called: string, mode: number): void {
  if ((mode & fileType.mask) !== fileType.directory) {
    if (request.path.endsWith("/")) throw new EngineError("internal", `lstat ${called}/: not a directory`);
    throw new EngineError("invalid", "extraction point is not a directory");
  }
  const over = request.volumes.filter(({ destination }) => isWithin(cleaned(destination), called));
  if (over.length > 0) {
    if (over.some(({ writable }) => writable)) return;
    throw new EngineError("invalid", "mounted volume is marked read-only");
  }
  if (request.readOnly) throw new EngineError("invalid", "container rootfs is marked read-only");
}

type Handlers = {
  [Name in keyof ArchiveCalls]: (args: ArchiveCalls[Name]["args"]) => Promise<Answer<Name>> | Answer<Name>;
};
type Answer<Name extends keyof ArchiveCalls> = Name extends "read"
  ? Given | null
  : ArchiveCalls[Name]["result"];

const handlers: Handlers = {
  stat,
  pack,
  read,
  readEnd,
  extract,
  copyLocal,
  cancelCopy,
  feed: ({ session, bytes }) => feeds.get(session)?.push(bytes),
  feedEnd: ({ session, error }) =>
    feeds.get(session)?.end(error === undefined ? undefined : new EngineError("invalid", error)),
};

export function start(port: WorkerPort): void {
  port.onCall(async (method, args) => {
    if (!(method in handlers)) throw new EngineError("internal", `the archive worker has no ${method}`);
    try {
      return await handlers[method as keyof Handlers](args);
    } catch (error) {
      throw inGo(error);
    }
  });
}
