import { openImportSource } from "../../images/import/source.ts";
import { parseReference, type Reference, repositoryOf, withTag } from "../../lib/reference.ts";
import type { Call } from "../call.ts";
import { credentialsOf } from "../decode/credentials.ts";
import { contentTypes, type Reply } from "../reply.ts";
import type { Handler } from "../router.ts";
import { messageLine, startedMessages } from "./image-load.ts";
import { joinReference } from "./images.ts";

/** `POST /images/create`: a pull (`fromImage`) or an import (`fromSrc`: `-` is the body, else a URL). */
export const createImage: Handler = (call): Promise<Reply> => {
  const image = call.query.text("fromImage");
  return image === "" ? importImage(call) : pullImage(call);
};

function pullImage(call: Call): Promise<Reply> {
  const tag = call.query.text("tag");
  const platform = call.query.text("platform");
  const named = parseReference(call.query.text("fromImage"));
  const reference = withTagOrDigest(named, tag);
  const credentials = credentialsOf(call);
  return startedMessages(
    call.engine.images.pull({
      reference,
      // no tag at all is every tag, as the API has it
      allTags: tag === "" && reference.tag === undefined && reference.digest === undefined,
      signal: call.signal,
      ...(platform === "" ? {} : { platform }),
      ...(credentials ? { credentials } : {}),
    }),
  );
}

/** The parameter `tag` may hold a digest too. */
function withTagOrDigest(named: Reference, tag: string): Reference {
  if (tag === "") return named;
  if (!tag.includes(":")) return withTag({ domain: named.domain, path: named.path }, tag);
  return { ...parseReference(`${repositoryOf(named)}@${tag}`) };
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
