import type { FolderSink, OutputSink } from "../../build/contract.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import { sendFolder } from "../filesync/transfer.ts";
import type { FilesyncWorker } from "../filesync/worker.ts";
import { bytesMessage, sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

const exporterKey = "buildkit-attachable-exporter-id";
/** of one message; what a client's gRPC takes is 4 MB */
const pieceSize = 1024 * 1024;

/** A file that the client writes: `exporter` is the output's place in the request. `facts` are told with it. */
export function fileSinkOf(
  session: Session,
  exporter: number,
  facts: ReadonlyMap<string, string>,
  signal: AbortSignal,
): OutputSink {
  return {
    write: async (bytes) => {
      const metadata: Record<string, string> = { [exporterKey]: String(exporter) };
      for (const [name, value] of facts) metadata[`exporter-md-${name}`] = value;
      const stream = session.stream(sessionMethods.fileSend, { metadata, signal });
      for await (const chunk of bytes)
        for (let at = 0; at < chunk.length; at += pieceSize)
          await stream.send(encode(bytesMessage, { data: chunk.subarray(at, at + pieceSize) }));
      stream.closeSend();
      for await (const _nothing of stream.messages);
    },
  };
}

/** A folder that the client writes to. */
export function folderSinkOf(
  session: Session,
  exporter: number,
  worker: FilesyncWorker,
  signal: AbortSignal,
): FolderSink {
  return {
    copy: async (root, prefix) => {
      const metadata = { [exporterKey]: String(exporter) };
      await sendFolder(session.stream(sessionMethods.fileSend, { metadata, signal }), worker, root, prefix);
    },
  };
}
