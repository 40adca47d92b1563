import { platformOf } from "../../../images/platform.ts";
import { messageOf } from "../../../lib/errors.ts";
import { stringify } from "../../../lib/wire/json.ts";
import type { JsonMessage } from "../../../types/api.ts";
import { contentTypes, htmlSafe, type Reply } from "../../reply.ts";
import type { Handler } from "../../router.ts";

export const messageLine = (message: JsonMessage): string => `${htmlSafe(stringify(message))}\r\n`;

/** Messages as lines of JSON; a failure is the last of them, since the status has been told. */
export async function* messageLines(messages: AsyncIterable<JsonMessage>): AsyncGenerator<string> {
  try {
    for await (const message of messages) yield messageLine(message);
  } catch (error) {
    const message = messageOf(error);
    yield messageLine({ errorDetail: { message }, error: message });
  }
}

/**
 * A stream of messages whose first has come: a failure before it is told by the reply's status, as Docker's clients
 * expect of a pull.
 */
export async function startedMessages(messages: AsyncIterable<JsonMessage>): Promise<Reply> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* all(): AsyncGenerator<JsonMessage> {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { kind: "stream", status: 200, contentType: contentTypes.json, body: messageLines(all()) };
}

export const loadImages: Handler = ({ engine, query, body, signal }) => {
  const platform = query.text("platform");
  platformOf(platform); // refused while there is a status to tell it with
  const messages = engine.images.load({
    source: body,
    quiet: query.flag("quiet"),
    signal,
    ...(platform === "" ? {} : { platform }),
  });
  return { kind: "stream", status: 200, contentType: contentTypes.json, body: messageLines(messages) };
};
