import { Client } from "../../client/client.ts";
import { ConnectionBroken, SshEnded } from "../../client/errors.ts";
import { parseHost } from "../../client/host.ts";
import { familiar, parseReference, withDefaultTag } from "../../lib/reference.ts";
import { humanSize } from "../../lib/units.ts";
import type { ImageInspect } from "../../types/api.ts";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import { imagePath } from "./image-path.ts";
import { drain } from "./pull.ts";

/** Images straight from one engine to another, over ssh: only layers that the other has not. */
export const isEngine = (name: string): boolean => name.startsWith("ssh://");

/** `ssh://user@host:port/name:tag` as the engine there and the image's name. */
export function parseEngineImage(text: string): { engine: string; image: string } {
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

export async function pushToEngine(session: Session, text: string, quiet: boolean): Promise<number> {
  const { engine, image } = parseEngineImage(text);
  const far = clientOf(engine);
  return toldOf(engine, image, (sent) =>
    transfer(session, { from: session.client, to: far, image, quiet, text, sent }),
  );
}

export async function pullFromEngine(session: Session, text: string, quiet: boolean): Promise<number> {
  const { engine, image } = parseEngineImage(text);
  const far = clientOf(engine);
  return toldOf(engine, image, (sent) =>
    transfer(session, { from: far, to: session.client, image, quiet, text, sent }),
  );
}

interface Sent {
  /** of the archive, so far; undefined before it begins */
  bytes: number | undefined;
  /** why the archive ended early: the engine that reads it only tells that it did */
  failure: unknown;
}

/** What goes wrong between the engines in one sentence; what an engine says is left as it is. */
async function toldOf(engine: string, image: string, work: (sent: Sent) => Promise<number>): Promise<number> {
  const sent: Sent = { bytes: undefined, failure: undefined };
  try {
    return await work(sent);
  } catch (error) {
    const cause = sent.failure ?? error;
    const ended = causeOf(cause, SshEnded);
    if (ended === undefined && causeOf(cause, ConnectionBroken) === undefined) throw cause;
    const said = ended?.said.split("\n").at(-1)?.trim() || "the connection was closed";
    if (sent.bytes !== undefined)
      throw new CliError(`${image}: the transfer broke off after ${humanSize(sent.bytes, 3)}: ${said}`);
    if (ended?.code === sshFailed) throw new CliError(`cannot reach ${engine}: ${said}`);
    if (ended?.code === notFound || ended?.code === notExecutable)
      throw new CliError(`${engine} has no berth: ${said}`);
    throw new CliError(`no engine answers at ${engine}: ${said}`);
  }
}

/** ssh's own exit status, and those of a shell that finds no such program */
const sshFailed = 255;
const notFound = 127;
const notExecutable = 126;

function causeOf<Kind extends Error>(error: unknown, kind: new (...args: never[]) => Kind): Kind | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof kind) return each;
  return undefined;
}

interface Transfer {
  from: Client;
  to: Client;
  image: string;
  quiet: boolean;
  text: string;
  sent: Sent;
}

async function transfer(session: Session, { from, to, image, quiet, text, sent }: Transfer): Promise<number> {
  const { RootFS } = await from.json<ImageInspect>("GET", imagePath(image, "/json"));
  const layers = [...new Set(RootFS.Layers ?? [])];
  const there = await to.json<string[]>("GET", "/berth/layers", { query: { layers } });
  const missing = layers.filter((layer) => !there.includes(layer));
  if (!quiet)
    session.out(`${layers.length} layers, ${there.length} there already, ${missing.length} to send`);
  const archive = await from.request("GET", "/images/get", { query: { names: [image], without: there } });
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of archive.body) {
        bytes += chunk.length;
        sent.bytes = bytes;
        yield chunk;
      }
    } catch (error) {
      sent.failure = error;
      throw error;
    }
  };
  sent.bytes = 0;
  const loaded = await to.request("POST", "/images/load", {
    query: { quiet: "1" },
    body: counted(),
    contentType: "application/x-tar",
  });
  await drain(loaded.body);
  session.out(quiet ? text : `${image}: ${humanSize(bytes, 3)} sent`);
  return 0;
}
