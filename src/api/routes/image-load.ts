import { messageOf } from "../../lib/errors.ts";
import { stringify } from "../../lib/json.ts";
import type { JsonMessage } from "../../types/api.ts";
import { contentTypes } from "../reply.ts";
import type { Handler } from "../router.ts";

export const messageLine = (message: JsonMessage): string => `${stringify(message)}\r\n`;

/** Messages as lines of JSON; a failure is the last of them, since the status has been told. */
export async function* messageLines(messages: AsyncIterable<JsonMessage>): AsyncGenerator<string> {
  try {
    for await (const message of messages) yield messageLine(message);
  } catch (error) {
    const message = messageOf(error);
    yield messageLine({ errorDetail: { message }, error: message });
  }
}

export const loadImages: Handler = ({ engine, query, body, signal }) => {
  const platform = query.text("platform");
  const messages = engine.images.load({
    source: body,
    quiet: query.flag("quiet"),
    signal,
    ...(platform === "" ? {} : { platform }),
  });
  return { kind: "stream", status: 200, contentType: contentTypes.json, body: messageLines(messages) };
};
