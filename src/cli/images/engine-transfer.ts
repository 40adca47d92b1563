import { Client } from "../../client/client.ts";
import { ApiError, ConnectionBroken, ConnectionError, SshEnded } from "../../client/errors.ts";
import { parseHost } from "../../client/host.ts";
import { messageOf } from "../../lib/errors.ts";
import { familiar, parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import { humanSize } from "../../lib/text/units.ts";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import { progressOn } from "../stream/progress.ts";
import { type Done, type Route, sendImage } from "./layer-transfer.ts";

/** Images straight from one engine to another, over ssh: only layers that the other has not. */
export const isEngine = (name: string): boolean => name.startsWith("ssh://");

/** `ssh://user@host:port/name:tag` as the engine there and the image's name. */
function parseEngineImage(text: string): { engine: string; image: string } {
  const url = URL.parse(text);
  const name = url?.pathname.replace(/^\/+/, "") ?? "";
  if (!url?.hostname || name === "")
    throw new CliError(`invalid image of an engine: ${text} is not ssh://HOST/NAME`);
  const image = familiar(withDefaultTag(parseReference(decodeURIComponent(name))));
  return { engine: `ssh://${url.username ? `${url.username}@` : ""}${url.host}`, image };
}

function clientOf(engine: string): Client {
  const host = parseHost(engine, false);
  // the far end must be one of ours: it is asked what Docker has no endpoint for
  return new Client({ host: host.kind === "ssh" ? { ...host, program: "berth" } : host });
}

/** What of the options of `push` and `pull` counts here. */
interface EngineTransferFlags {
  allTags: boolean;
  platform: string;
  quiet: boolean;
}

export const pushToEngine = (session: Session, text: string, flags: EngineTransferFlags): Promise<number> =>
  transfer(session, text, flags, (far) => ({ from: session.client, to: far }));

export const pullFromEngine = (session: Session, text: string, flags: EngineTransferFlags): Promise<number> =>
  transfer(session, text, flags, (far) => ({ from: far, to: session.client }));

async function transfer(
  session: Session,
  text: string,
  { allTags, platform, quiet }: EngineTransferFlags,
  ends: (far: Client) => Pick<Route, "from" | "to">,
): Promise<number> {
  const { engine, image } = parseEngineImage(text);
  if (allTags) throw new CliError("--all-tags/-a is for registries: name one image of an engine");
  const far = clientOf(engine);
  const done: Done = { layers: undefined, bytes: 0, there: 0, failure: undefined };
  const show = quiet ? () => undefined : await progressOn(1);
  try {
    await persistently({ ...ends(far), image, platform, show, done });
  } catch (error) {
    throw told(engine, image, done, error);
  } finally {
    far.close();
  }
  session.out(quiet ? text : `${image}: ${humanSize(done.bytes, 3)} sent`);
  return 0;
}

/** Tries in a row that bring nothing, as `max-download-attempts` has it; the first is made at once. */
const triesMax = 5;
/** less than that is no progress: a connection for every few bytes would never end */
const progressMin = 1024 * 1024;

/** Goes on where it stopped when a connection breaks that stood before. */
async function persistently(route: Route): Promise<void> {
  const { done, show } = route;
  for (let failures = 0; ; ) {
    const before = done.there;
    try {
      return await sendImage(route);
    } catch (error) {
      if (done.layers === undefined || !isPassing(done.failure ?? error)) throw error;
      failures = done.there >= before + progressMin ? 1 : failures + 1;
      if (failures >= triesMax) throw error;
      show({ status: `${saidOf(done.failure ?? error).replace(/\.$/, "")}: going on where it stopped` });
      done.failure = undefined;
      await Bun.sleep((failures - 1) * 1000);
    }
  }
}

/** A connection that broke, an engine that starts again, a beginning that is another's by now. */
const isPassing = (error: unknown): boolean =>
  isBroken(error) ||
  causeOf(error, ConnectionError) !== undefined ||
  [409, 503].includes(causeOf(error, ApiError)?.status ?? 0);

const isBroken = (error: unknown): boolean =>
  causeOf(error, SshEnded) !== undefined ||
  causeOf(error, ConnectionBroken) !== undefined ||
  ["EPIPE", "ECONNRESET"].includes((error as { code?: string } | undefined)?.code ?? "");

function saidOf(error: unknown): string {
  const ended = causeOf(error, SshEnded);
  if (ended !== undefined) return ended.said.split("\n").at(-1)?.trim() || "the connection was closed";
  if (isBroken(error)) return "the connection was closed";
  return causeOf(error, ApiError)?.sentence ?? messageOf(error);
}

/** What goes wrong between the engines in one sentence; what an engine says is left as it is. */
function told(engine: string, image: string, done: Done, error: unknown): unknown {
  const cause = done.failure ?? error;
  const ended = causeOf(cause, SshEnded);
  if (!isBroken(cause)) return cause;
  const said = saidOf(cause);
  if (done.layers !== undefined)
    return new CliError(
      `${image}: the transfer broke off after ${humanSize(done.bytes, 3)}: ${said}\nWhat was sent is kept: the same command goes on where it stopped.`,
    );
  if (ended?.code === sshFailed) return new CliError(`cannot reach ${engine}: ${said}`);
  if (ended?.code === notFound || ended?.code === notExecutable)
    return new CliError(`${engine} has no berth: ${said}`);
  return new CliError(`no engine answers at ${engine}: ${said}`);
}

/** ssh's own exit status, and those of a shell that finds no such program */
const sshFailed = 255;
const notFound = 127;
const notExecutable = 126;

function causeOf<Kind extends Error>(error: unknown, kind: new (...args: never[]) => Kind): Kind | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof kind) return each;
  return undefined;
}
