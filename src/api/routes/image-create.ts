import { openImportSource } from "../../images/import-source.ts";
import { EngineError } from "../../lib/errors.ts";
import { parsePlatform } from "../../lib/platform.ts";
import { familiar, parseReference, withDefaultTag, withTag } from "../../lib/reference.ts";
import type { Call } from "../call.ts";
import { contentTypes, type Reply } from "../reply.ts";
import type { Handler } from "../router.ts";
import { messageLine } from "./image-load.ts";
import { joinReference } from "./images.ts";

/** `POST /images/create`: a pull (`fromImage`) or an import (`fromSrc`: `-` is the body, else a URL). */
export const createImage: Handler = (call): Promise<Reply> => {
  const image = call.query.text("fromImage");
  return image === "" ? importImage(call) : pullImage(call);
};

async function pullImage(call: Call): Promise<Reply> {
  const tag = call.query.text("tag");
  const platform = call.query.text("platform");
  if (platform !== "") parsePlatform(platform);
  const named = parseReference(call.query.text("fromImage"));
  const image = familiar(withDefaultTag(tag === "" || tag.includes(":") ? named : withTag(named, tag)));
  if (image.startsWith("scratch:")) throw new EngineError("invalid", "'scratch' is a reserved name");
  throw new EngineError(
    "notImplemented",
    `POST /images/create?fromImage=${image} is not built yet in berth: it cannot pull, so import or load the image`,
  );
}

async function importImage(call: Call): Promise<Reply> {
  const { query, engine } = call;
  const from = query.text("fromSrc");
  const reference = joinReference(query.text("repo"), query.text("tag"));
  const platform = query.text("platform");
  const image = await engine.images.import({
    source: from === "-" ? call.body : (await openImportSource(from, { signal: call.signal })).bytes,
    message: query.text("message") || `Imported from ${from}`,
    changes: query.all("changes"),
    signal: call.signal,
    ...(reference === undefined ? {} : { reference }),
    ...(platform === "" ? {} : { platform }),
  });
  return {
    kind: "text",
    status: 200,
    text: messageLine({ status: image.id }),
    contentType: contentTypes.json,
  };
}
