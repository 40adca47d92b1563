import type { ImportRequest } from "../../../images/contract.ts";
import { openImportSource } from "../../../images/import/source.ts";
import { TransferMessages } from "../../../images/transfer/messages.ts";
import { parseReference, type Reference, repositoryOf, withTag } from "../../../lib/image/reference.ts";
import type { JsonMessage } from "../../../types/api.ts";
import type { Call } from "../../call.ts";
import { credentialsOf } from "../../decode/credentials.ts";
import { contentTypes, type Reply } from "../../reply.ts";
import type { Handler } from "../../router.ts";
import { messageLine, startedMessages } from "./image-load.ts";
import { joinReference } from "./join-reference.ts";

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
  const request = {
    message: query.text("message") || `Imported from ${from}`,
    changes: query.all("changes"),
    signal: call.signal,
    ...(reference === undefined ? {} : { reference }),
    ...(platform === "" ? {} : { platform }),
  };
  if (from !== "-") return startedMessages(importFrom(call, from, request));
  const image = await engine.images.import({ ...request, source: call.body });
  return {
    kind: "text",
    status: 200,
    text: messageLine({ status: image.id }),
    contentType: contentTypes.json,
  };
}

/** An import from a URL tells where it downloads from, and how far it is. */
async function* importFrom(
  { engine, signal }: Call,
  from: string,
  request: Omit<ImportRequest, "source">,
): AsyncGenerator<JsonMessage> {
  const { url, bytes, size } = await openImportSource(from, { signal });
  yield { status: `Downloading from ${url}` };
  const messages = new TransferMessages();
  engine.images.import({ ...request, source: counted(bytes, size, messages) }).then(
    ({ id }) => {
      messages.status(id);
      messages.end();
    },
    (error: unknown) => messages.fail(error),
  );
  yield* messages.read();
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  total: number,
  messages: TransferMessages,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const part of bytes) {
    current += part.length;
    messages.progress("", "Importing", { current, total });
    yield part;
  }
}
