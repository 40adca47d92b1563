import { EngineError } from "../../../lib/errors.ts";
import type { VerifyLine } from "../../../types/image-report.ts";
import { contentTypes, json, noContent, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

/** What can be done with images that Docker has no endpoint for. */
const lines = (body: AsyncIterable<Uint8Array | string>): Reply => ({
  kind: "stream",
  status: 200,
  contentType: contentTypes.json,
  body,
});

const layers: Handler = ({ engine, query, params }) =>
  lines(engine.images.layers(params["name"] ?? "", { files: query.flag("files") }));

const compare: Handler = ({ engine, query, params }) =>
  lines(engine.images.compare(params["name"] ?? "", query.text("with")));

const squash: Handler = async ({ engine, query, params }) => {
  const [from, reference] = [query.text("from"), query.text("reference")];
  const { id } = await engine.images.squash({
    image: params["name"] ?? "",
    ...(from === "" ? {} : { from }),
    ...(reference === "" ? {} : { reference }),
  });
  return json({ Id: id });
};

async function* verifyLines(found: AsyncIterable<VerifyLine>): AsyncGenerator<string> {
  for await (const line of found) yield `${JSON.stringify(line)}\n`;
}

const verify: Handler = ({ engine, query, signal }) =>
  lines(
    verifyLines(engine.images.verify({ images: query.all("images"), repair: query.flag("repair"), signal })),
  );

/** Which of the layers named by `layers` are here, for a transfer between engines (decision 37). */
const layerStates: Handler = async ({ engine, query }) =>
  json(await engine.images.layerStates(query.all("layers")));

const giveLayer: Handler = async ({ engine, query, params }) => {
  const [layer] = await engine.images.layerStates([params["name"] ?? ""]);
  if (layer?.size === undefined) throw new EngineError("notFound", `layer ${layer?.digest} is not here`);
  const body = engine.images.giveLayer(layer.digest, amount(query.text("from"), "from") ?? 0);
  return { kind: "stream", status: 200, contentType: "application/zstd", body };
};

const takeLayer: Handler = async ({ engine, query, params, body, signal }) => {
  await engine.images.takeLayer({
    diffId: params["name"] ?? "",
    size: amount(query.text("size"), "size") ?? 0,
    from: amount(query.text("from"), "from") ?? 0,
    source: body,
    signal,
  });
  return noContent;
};

const pin: Handler = ({ engine, params }) => json({ Id: engine.images.pin(params["name"] ?? "") });
const unpin: Handler = ({ engine, params }) => {
  engine.images.unpin(params["name"] ?? "");
  return noContent;
};
const pinned: Handler = ({ engine }) => {
  const all = engine.images.list({ all: true, filters: new Map(), sharedSize: false }, () => 0);
  return json(all.filter(({ Id }) => engine.images.isPinned(Id)));
};

function amount(text: string, name: string): number | undefined {
  if (text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new EngineError("invalid", `${name} is not a whole number: ${text}`);
  return Number(text);
}

const gc: Handler = async ({ engine, query }) => {
  const [keepBytes, freeBytes, unusedForMs] = ["keepBytes", "freeBytes", "unusedForMs"].map((name) =>
    amount(query.text(name), name),
  );
  return json(
    await engine.gc({
      dryRun: query.flag("dryRun"),
      ...(keepBytes === undefined ? {} : { keepBytes }),
      ...(freeBytes === undefined ? {} : { freeBytes }),
      ...(unusedForMs === undefined ? {} : { unusedForMs }),
    }),
  );
};

export const imageBeyondRoutes: readonly Route[] = [
  { method: "POST", pattern: "/berth/images/verify", handler: verify },
  { method: "POST", pattern: "/berth/images/gc", handler: gc },
  { method: "GET", pattern: "/berth/layers", handler: layerStates },
  { method: "GET", pattern: "/berth/layers/{name}", handler: giveLayer },
  { method: "PUT", pattern: "/berth/layers/{name}", handler: takeLayer },
  { method: "GET", pattern: "/berth/images/pins", handler: pinned },
  { method: "GET", pattern: "/berth/images/{name}/layers", handler: layers },
  { method: "GET", pattern: "/berth/images/{name}/diff", handler: compare },
  { method: "POST", pattern: "/berth/images/{name}/squash", handler: squash },
  { method: "POST", pattern: "/berth/images/{name}/pin", handler: pin },
  { method: "DELETE", pattern: "/berth/images/{name}/pin", handler: unpin },
];
