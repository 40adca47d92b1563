import { Client } from "../../client/client.ts";
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
  return transfer(session, { from: session.client, to: clientOf(engine), image, quiet, text });
}

export async function pullFromEngine(session: Session, text: string, quiet: boolean): Promise<number> {
  const { engine, image } = parseEngineImage(text);
  return transfer(session, { from: clientOf(engine), to: session.client, image, quiet, text });
}

interface Transfer {
  from: Client;
  to: Client;
  image: string;
  quiet: boolean;
  text: string;
}

async function transfer(session: Session, { from, to, image, quiet, text }: Transfer): Promise<number> {
  const { RootFS } = await from.json<ImageInspect>("GET", imagePath(image, "/json"));
  const layers = [...new Set(RootFS.Layers ?? [])];
  const there = await to.json<string[]>("GET", "/berth/layers", { query: { layers } });
  const missing = layers.filter((layer) => !there.includes(layer));
  if (!quiet)
    session.out(`${layers.length} layers, ${there.length} there already, ${missing.length} to send`);
  const archive = await from.request("GET", "/images/get", { query: { names: [image], without: there } });
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive.body) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const loaded = await to.request("POST", "/images/load", {
    query: { quiet: "1" },
    body: counted(),
    contentType: "application/x-tar",
  });
  await drain(loaded.body);
  session.out(quiet ? text : `${image}: ${humanSize(bytes, 3)} sent`);
  return 0;
}
