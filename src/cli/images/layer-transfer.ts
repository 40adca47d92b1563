import type { Client } from "../../client/client.ts";
import { ZstdFrames } from "../../lib/compression/zstd-frames.ts";
import { counted } from "../../lib/text/counted.ts";
import type { ImageInspect, JsonMessage } from "../../types/api.ts";
import { type LayerState, layerFrameBytes } from "../../types/layer-transfer.ts";
import { imagePath } from "./image-path.ts";
import { drain } from "./pull.ts";

/** An image's way from one engine to another. */
export interface Route {
  from: Client;
  to: Client;
  image: string;
  /** "" = whichever it is */
  platform: string;
  show(message: JsonMessage): void;
  /** what came of it so far, over all tries */
  done: Done;
}

export interface Done {
  /** undefined until both engines were asked what they have */
  layers: { all: number; missing: number } | undefined;
  /** that went over the connection */
  bytes: number;
  /** of layers' tars, that were there when it was begun last */
  there: number;
  /** why a layer's bytes ended early: the engine that takes them only tells that they did */
  failure: unknown;
}

/** Layers at a time: one is on its way while the other is finished. */
const lanes = 2;

/** Sends what is missing, then the image itself. What is sent when it fails stays there: another try goes on. */
export async function sendImage(route: Route): Promise<void> {
  const { from, to, image, platform, done, show } = route;
  const query = platform === "" ? {} : { platform };
  const { RootFS } = await from.json<ImageInspect>("GET", imagePath(image, "/json"), { query });
  const layers = [...new Set(RootFS.Layers ?? [])];
  const states = (engine: Client): Promise<LayerState[]> =>
    engine.json<LayerState[]>("GET", "/berth/layers", { query: { layers } });
  const there = await states(to);
  const missing = there.filter(({ size }) => size === undefined);
  const here = missing.length > 0 ? await states(from) : [];
  const sizeOf = new Map(here.map(({ digest, size }) => [digest, size ?? 0]));
  done.there = there.reduce((sum, { size, kept }) => sum + (size ?? kept ?? 0), 0);
  if (done.layers === undefined) {
    done.layers = { all: layers.length, missing: missing.length };
    const known = layers.length - missing.length;
    show({ status: `${counted(layers.length, "layer")}, ${known} there already, ${missing.length} to send` });
    for (const { digest } of missing) show({ id: shortId(digest), status: "Waiting" });
  }
  await inLanes(missing, (layer, signal) => sendLayer(route, layer, sizeOf.get(layer.digest) ?? 0, signal));
  const archive = await from.request("GET", "/images/get", {
    query: { names: [image], without: layers, ...query },
  });
  const loaded = await to.request("POST", "/images/load", {
    query: { quiet: "1" },
    body: counting(archive.body, done),
    contentType: "application/x-tar",
  });
  await drain(loaded.body, (message) => {
    // that another image had the name, and has it no more; not that this one has it
    if (message.stream !== undefined && !message.stream.startsWith("Loaded image")) show(message);
  });
}

/** The first that fails ends the others. */
async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const stop = new AbortController();
  let failure: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && failure === undefined; next = queue.shift())
      try {
        await work(next, stop.signal);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failure !== undefined) throw failure.error;
}

async function sendLayer(
  { from, to, done, show }: Route,
  { digest, kept = 0 }: LayerState,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const id = shortId(digest);
  const start = Math.min(kept, size);
  const tell = (frames: number): void => {
    const current = Math.min(size, start + frames * layerFrameBytes);
    show({ id, status: "Sending", progressDetail: { current, total: size } });
  };
  tell(0);
  const tar = await from.request("GET", `/berth/layers/${digest}`, { query: { from: start }, signal });
  await to.call("PUT", `/berth/layers/${digest}`, {
    query: { from: start, size },
    body: counting(tar.body, done, tell),
    contentType: "application/zstd",
    signal,
  });
  show({ id, status: "Sent" });
}

const shortId = (digest: string): string => digest.slice("sha256:".length, "sha256:".length + 12);

async function* counting(
  source: AsyncIterable<Uint8Array>,
  done: Done,
  tell?: (frames: number) => void,
): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  let told = 0;
  try {
    for await (const bytes of source) {
      done.bytes += bytes.length;
      yield bytes;
      if (tell === undefined) continue;
      frames.push(bytes);
      if (frames.whole > told) tell(frames.whole);
      told = frames.whole;
    }
  } catch (error) {
    done.failure ??= error;
    throw error;
  }
}
