import { folderWithin } from "../../build/contexts/folder.ts";
import { contextFailure } from "../../build/contexts/remote.ts";
import type { UnpackedContext } from "../../build/contract.ts";
import type { Session } from "../session/session.ts";
import { openUpload } from "../session/upload.ts";
import type { Parts } from "./parts.ts";

/** A context that is not the client's folder. */
interface RemoteContext {
  unpacked: UnpackedContext;
  /** the folder within it that is the context */
  root: string;
}

interface RemoteRequest {
  url: string;
  /** a folder within it that is the context; "" = the whole */
  folder: string;
  session: Session;
  signal: AbortSignal;
}

/** What a context's URL names: an archive on the client's standard input, else a repository, archive or Dockerfile. */
export async function openRemote(parts: Parts, request: RemoteRequest): Promise<RemoteContext> {
  const { url, signal, session, folder } = request;
  const upload = openUpload(session, url, signal);
  const unpacked = await (upload
    ? parts.builds.unpack(upload, signal)
    : parts.builds.fetchContext(url, signal).catch((error: unknown) => {
        throw contextFailure(error);
      }));
  try {
    return { unpacked, root: folderWithin(unpacked.root, folder) };
  } catch (error) {
    await unpacked.close();
    throw error;
  }
}
