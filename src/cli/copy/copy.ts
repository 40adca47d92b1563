import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";
import { at } from "../../client/containers.ts";
import { ApiError, isNotFound } from "../../client/errors.ts";
import type { HttpResponse } from "../../client/http.ts";
import { humanSize } from "../../lib/text/units.ts";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import { isTerminal, writeOut } from "../stdio.ts";
import { openInput } from "../stream/input.ts";
import { splitPattern } from "./glob.ts";
import { packLocal } from "./pack.ts";
import {
  absolute,
  localDestination,
  localSource,
  type Place,
  plan,
  splitArgument,
  splitEntry,
} from "./paths.ts";
import { unpack } from "./unpack.ts";

interface CopyFlags {
  archive: boolean;
  followLink: boolean;
  quiet: boolean;
  /** `--quiet=false` asks for the last line where stderr is no terminal too */
  always: boolean;
  /** the source path is a pattern */
  glob: boolean;
}

/** `cp`: one side is a container's. */
export async function copyCommand(
  session: Session,
  source: string,
  target: string,
  flags: CopyFlags,
): Promise<number> {
  if (source === "") throw new CliError("source can not be empty");
  if (target === "") throw new CliError("destination can not be empty");
  const [from, to] = [splitArgument(source), splitArgument(target)];
  if (from.container && to.container) throw new CliError("copying between containers is not supported");
  if (!from.container && !to.container) throw new CliError("must specify at least one container source");
  if (flags.glob) {
    if (!from.container)
      throw new CliError("--glob is for files of a container: the shell has patterns for others");
    await copyMatching(session, from.container, from.path, to.path, flags);
  } else if (from.container) await copyOut(session, from.container, from.path, to.path, flags);
  else await copyIn(session, from.path, to.container, to.path, flags);
  return 0;
}

/** Go's file mode bits in the stat header. */
const folderBit = 2 ** 31;
const linkBit = 2 ** 27;

interface PathStat {
  name: string;
  mode: number;
  linkTarget: string;
}

function readStat(response: HttpResponse): PathStat {
  const header = response.headers["x-docker-container-path-stat"];
  if (!header) throw new CliError("unable to retrieve container path stat from response");
  return JSON.parse(Buffer.from(header, "base64").toString("utf8")) as PathStat;
}

const has = ({ mode }: PathStat, bit: number): boolean => Math.floor(mode / bit) % 2 === 1;

async function stat(session: Session, container: string, path: string): Promise<PathStat> {
  return readStat(await session.client.call("HEAD", at(container, "/archive"), { query: { path } }));
}

/** A container path as its archive's user means it: absolute, its trailing `/` or `/.` kept. */
const containerPath = (path: string): string => {
  const clean = posix.join("/", path);
  return path.endsWith("/.") || path === "." ? `${clean.replace(/\/$/, "")}/.` : clean;
};

async function copyOut(
  session: Session,
  container: string,
  path: string,
  target: string,
  flags: CopyFlags,
): Promise<void> {
  let source = path;
  let rebaseName = "";
  if (flags.followLink) {
    const found = await stat(session, container, path).catch(ignoreNotFound);
    if (found && has(found, linkBit)) {
      source = posix.isAbsolute(found.linkTarget)
        ? found.linkTarget
        : posix.join(posix.dirname(containerPath(path)), found.linkTarget);
      rebaseName = posix.basename(path);
    }
  }
  const response = await session.client.request("GET", at(container, "/archive"), {
    query: { path: source },
  });
  if (target === "-") {
    if (isTerminal(1)) throw new CliError("cowardly refusing to copy to a terminal: redirect stdout");
    for await (const chunk of response.body) await writeOut(1, chunk);
    return;
  }
  const place: Place = {
    path: containerPath(source),
    exists: true,
    isFolder: has(readStat(response), folderBit),
    rebaseName: "",
  };
  const destination = localDestination(target);
  const planned = plan(place, destination);
  const rename =
    rebaseName && !planned.rename ? { from: splitEntry(place.path)[1], to: rebaseName } : planned.rename;
  const counter = count(response.body);
  await unpack(counter.body, { ...planned, rename }, flags.archive);
  tell(session, flags, counter.bytes(), absolute(target));
}

/** Everything that a pattern names goes into a folder, each below it as in the container below the pattern's fixed part. */
async function copyMatching(
  session: Session,
  container: string,
  path: string,
  target: string,
  flags: CopyFlags,
): Promise<void> {
  const { folder, pattern } = splitPattern(path);
  const destination = target === "-" ? undefined : localDestination(target);
  if (!destination?.isFolder) throw new CliError(`destination ${JSON.stringify(target)} must be a folder`);
  const response = await session.client.request("GET", at(container, "/archive"), {
    query: { path: folder === "/" ? "/." : `${folder}/.` },
  });
  const counter = count(response.body);
  const plan = { folder: destination.path, rename: undefined };
  const matches = await unpack(counter.body, plan, flags.archive, pattern);
  if (matches === 0) throw new CliError(`nothing in ${container} matches ${JSON.stringify(path)}`);
  tell(session, flags, counter.bytes(), absolute(target));
}

const ignoreNotFound = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error;
};

async function copyIn(
  session: Session,
  path: string,
  container: string,
  target: string,
  flags: CopyFlags,
): Promise<void> {
  const destination = await containerDestination(session, container, target);
  const query = { copyUIDGID: flags.archive ? "true" : undefined, noOverwriteDirNonDir: "true" };
  if (path === "-") {
    if (!destination.isFolder) throw new CliError(`destination "${container}:${target}" must be a directory`);
    await session.client.call("PUT", at(container, "/archive"), {
      query: { ...query, path: destination.path },
      body: openInput(),
    });
    return;
  }
  const source = localSource(path, flags.followLink);
  const { folder, rename } = plan(source, destination);
  const [, base] = splitEntry(source.path);
  const name = rename?.to ?? (source.rebaseName || base);
  const path_ = source.path.replace(/\/\.?$/, "") || "/";
  const inPlace = await copyInPlace(session, container, {
    source: path_,
    name,
    folder,
    archive: flags.archive,
  });
  if (inPlace !== undefined) return tell(session, flags, inPlace, `${container}:${target}`);
  const counter = count(packLocal(path_, name));
  await session.client.call("PUT", at(container, "/archive"), {
    query: { ...query, path: folder },
    body: counter.body,
  });
  tell(session, flags, counter.bytes(), `${container}:${target}`);
}

/**
 * Has the engine read the file or folder itself, which spares it the way through the socket. Only for root, who may read
 * whatever the engine may, and only if the path is the same file to both (`undefined`: it has to be sent).
 */
async function copyInPlace(
  session: Session,
  container: string,
  { source, name, folder, archive }: { source: string; name: string; folder: string; archive: boolean },
): Promise<number | undefined> {
  if (session.client.host.kind !== "unix" || process.geteuid?.() !== 0) return undefined;
  // without /proc nobody can tell which mounts it sees
  const mounts = await readlink("/proc/self/ns/mnt").catch(() => undefined);
  if (mounts === undefined) return undefined;
  const { dev, ino } = await lstat(source, { bigint: true });
  try {
    const { Bytes } = await session.client.json<{ Bytes: number }>(
      "POST",
      `/berth${at(container, "/copy")}`,
      {
        json: {
          Path: folder,
          Source: source,
          Name: name,
          DeviceMajor: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)),
          DeviceMinor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn)),
          Inode: String(ino),
          MountNamespace: mounts,
          NoOverwriteDirNonDir: true,
          CopyUIDGID: archive,
        },
      },
    );
    return Bytes;
  } catch (error) {
    // another file there, or an engine that does not know the call: what is wrong otherwise shows when it is sent
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return undefined;
    throw error;
  }
}

async function containerDestination(session: Session, container: string, target: string): Promise<Place> {
  const path =
    containerPath(target) + (target.endsWith("/") && !containerPath(target).endsWith("/") ? "/" : "");
  const missing: Place = { path: target === "" ? "" : path, exists: false, isFolder: false, rebaseName: "" };
  const found = await stat(session, container, target).catch((error) => {
    // A missing path is what a copy may make; a missing container shows when its archive is sent.
    if (!isNotFound(error)) return undefined;
  });
  if (!found) return missing;
  if (!has(found, linkBit)) return { path, exists: true, isFolder: has(found, folderBit), rebaseName: "" };
  const link = posix.isAbsolute(found.linkTarget)
    ? found.linkTarget
    : posix.join(posix.dirname(path.replace(/\/+$/, "")), found.linkTarget);
  const there = await stat(session, container, link).catch(ignoreNotFound);
  return {
    path: link,
    exists: there !== undefined,
    isFolder: there ? has(there, folderBit) : false,
    rebaseName: "",
  };
}

function count(body: AsyncIterable<Uint8Array>): { body: AsyncIterable<Uint8Array>; bytes: () => number } {
  let total = 0;
  const counting = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      total += chunk.length;
      yield chunk;
    }
  };
  return { body: counting(), bytes: () => total };
}

function tell(session: Session, flags: CopyFlags, bytes: number, where: string): void {
  if (!flags.quiet && (flags.always || isTerminal(2)))
    session.err(`Successfully copied ${humanSize(bytes, 3)} to ${where}`);
}
