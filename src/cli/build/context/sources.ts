import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { messageOf } from "../../../lib/errors.ts";
import { openInput } from "../../stream/input.ts";
import { buildError, solveError } from "../failure.ts";
import { isFolder, readIgnoreFile } from "./folder.ts";
import { NotReadable, readTextFile } from "./text-file.ts";

/** What a build reads: its Dockerfile (`url`: one that the engine fetches), and the folder it may copy from. */
export interface BuildSources {
  dockerfile: { name: string; text: string; url?: string };
  /** of the Dockerfile, as it was found; undefined = it came on stdin */
  path: string | undefined;
  /** undefined = none: the Dockerfile came on stdin */
  folder: string | undefined;
  ignoreFile: { name: string; text: string } | undefined;
}

/** A context that only the engine can fetch (URL, git), or a tar on stdin. */
export interface StreamedContext {
  remote: string | undefined;
  tar: AsyncIterable<Uint8Array> | undefined;
  /** what came on stdin of a remote context's; undefined = the context has it */
  text: string | undefined;
}

const dockerfileMax = 4 << 20;

/** The Dockerfile; undefined where only the engine reads it. */
export function dockerfileText(sources: BuildSources | StreamedContext): string | undefined {
  if (!("dockerfile" in sources)) return sources.text;
  return sources.dockerfile.url === undefined ? sources.dockerfile.text : undefined;
}

export const isRemote = (context: string): boolean =>
  /^(?:https?|git|ssh):\/\//.test(context) ||
  /^git@[^/]+:/.test(context) ||
  context.startsWith("github.com/");

export async function readSources(context: string, file: string): Promise<BuildSources | StreamedContext> {
  if (context === "") throw buildError('please specify build context (e.g. "." for the current directory)');
  if (context === "-" && file === "-")
    throw buildError("invalid argument: can't use stdin for both build context and dockerfile");
  if (context === "-") return fromStdin(file);
  if (isRemote(context)) {
    const text = file === "-" ? await wholeText(openInput()) : undefined;
    return { remote: context, tar: undefined, text };
  }
  if (!(await isFolder(context)))
    throw buildError(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  const { path, dockerfile } = await readDockerfile(context, file);
  const ignoreFile = await readIgnoreFile(context, path);
  return { dockerfile, path, folder: resolve(context), ignoreFile };
}

async function fromStdin(file: string): Promise<BuildSources | StreamedContext> {
  const input = openInput();
  const iterator = input[Symbol.asyncIterator]();
  const { head, rest } = await firstBytes(iterator);
  if (isArchive(head)) return { remote: undefined, tar: rest, text: undefined };
  if (file !== "" && file !== "-") throw solveError("failed to read dockerfile: no local sources enabled");
  const text = await wholeText(rest);
  if (text === "") throw solveError("failed to read dockerfile: no local sources enabled");
  const dockerfile = { name: "Dockerfile", text };
  return { dockerfile, path: undefined, folder: undefined, ignoreFile: undefined };
}

async function readDockerfile(
  context: string,
  file: string,
): Promise<Pick<BuildSources, "path" | "dockerfile">> {
  if (file === "-")
    return { path: undefined, dockerfile: { name: "Dockerfile", text: await wholeText(openInput()) } };
  if (/^https?:\/\//.test(file))
    return { path: undefined, dockerfile: { name: "Dockerfile", text: "", url: file } };
  const candidates = file === "" ? [join(context, "Dockerfile"), join(context, "dockerfile")] : [file];
  for (const path of candidates) {
    const text = await readBounded(path);
    if (text !== undefined) return { path, dockerfile: { name: basename(path), text } };
  }
  const name = basename(candidates[0] ?? "Dockerfile");
  throw solveError(`failed to read dockerfile: open ${name}: no such file or directory`);
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    if (!(await isOwnPipe(path))) return await readTextFile(path, dockerfileMax);
    const { createReadStream } = await import("node:fs"); // 2 ms to load: only who gives a pipe pays
    return await wholeText(createReadStream(path));
  } catch (error) {
    if (error instanceof NotReadable)
      throw solveError(`failed to read dockerfile: ${error.message.replace(path, basename(path))}`);
    const { code } = error as { code?: unknown };
    throw typeof code === "string" ? buildError(messageOf(error)) : error;
  }
}

/** What a shell gives with `-f <(…)`, or as /dev/stdin: it is open, and somebody writes to it. */
const isOwnPipe = async (path: string): Promise<boolean> =>
  /^\/(?:dev\/stdin|(?:dev|proc\/self)\/fd\/\d+)$/.test(path) &&
  (await stat(path).catch(() => undefined))?.isFIFO() === true; // what is not there is told when it is opened

/** Enough to tell a tar, plain or compressed, from a Dockerfile; `rest` gives everything. */
async function firstBytes(
  iterator: AsyncIterator<Uint8Array>,
): Promise<{ head: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < 512) {
    const { value, done } = await iterator.next();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield* chunks;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(chunks), rest: rest() };
}

const magics = [
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

function isArchive(head: Uint8Array): boolean {
  if (magics.some((magic) => magic.every((byte, index) => head[index] === byte))) return true;
  return new TextDecoder("latin1").decode(head.subarray(257, 262)) === "ustar";
}

async function wholeText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > dockerfileMax) throw buildError(`the Dockerfile is larger than ${dockerfileMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
