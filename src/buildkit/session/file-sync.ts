import type { GrpcStream } from "../grpc/client.ts";
import { sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

interface SyncRequest {
  /** "context", "dockerfile", or what a named context is called */
  name: string;
  /** these paths, their folders and what symlinks among them lead to; undefined = all */
  followPaths?: readonly string[];
  exclude?: readonly string[];
  signal: AbortSignal;
}

/** Asks the client for the files of a folder that it offers. */
export function openFileSync(
  session: Session,
  { name, followPaths, exclude, signal }: SyncRequest,
): GrpcStream {
  const metadata: Record<string, string | string[]> = {};
  const put = (key: string, values: readonly string[] | undefined): void => {
    if (!values || values.length === 0) return;
    const plain = values.every((value) => /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value));
    metadata[key] = plain ? [...values] : values.map(encodeURIComponent);
    if (!plain) metadata[`${key}-encoded`] = "1";
  };
  put("followpaths", followPaths);
  put("exclude-patterns", exclude);
  put("dir-name", [name]);
  return session.stream(sessionMethods.diffCopy, { metadata, signal });
}
