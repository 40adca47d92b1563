import { decode } from "../../lib/protobuf/decode.ts";
import { bytesMessage, sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

/** The host of URLs that mean "ask the client": a context from its standard input. */
const uploadHost = "buildkit-session";

/** The bytes behind an upload's URL; undefined for any other URL. */
export function openUpload(
  session: Session,
  url: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> | undefined {
  const match = /^https?:\/\/([^/]+)\/(.*)$/.exec(url);
  if (match?.[1] !== uploadHost) return undefined;
  const metadata = { urlpath: `/${match[2] ?? ""}`, urlhost: uploadHost };
  const stream = session.stream(sessionMethods.uploadPull, { metadata, signal });
  stream.closeSend();
  return (async function* () {
    for await (const message of stream.messages) yield decode(bytesMessage, message).data;
  })();
}
