import type { BuildContext, ContextNeed, OpenContext } from "../../build/contract.ts";
import type { KeptFolders } from "../filesync/kept.ts";
import { receiveFolder } from "../filesync/transfer.ts";
import type { FilesyncWorker } from "../filesync/worker.ts";
import { openFileSync } from "../session/file-sync.ts";
import type { Session } from "../session/session.ts";

interface ClientFolder {
  session: Session;
  /** what the client calls it */
  name: string;
  /** the same for builds of the same folder; "" = it will not come again */
  sharedKey: string;
  ignore: () => Promise<string[]>;
}

/** A folder of the client's: opened, it is a kept copy brought up to date with what is needed of it. */
export class ClientContext implements BuildContext {
  private readonly folder: ClientFolder;
  private readonly kept: KeptFolders;
  private readonly worker: FilesyncWorker;

  constructor(folder: ClientFolder, kept: KeptFolders, worker: FilesyncWorker) {
    this.folder = folder;
    this.kept = kept;
    this.worker = worker;
  }

  async open({ include, signal, progress }: ContextNeed): Promise<OpenContext> {
    const { session, name, sharedKey } = this.folder;
    const ignore = await this.folder.ignore();
    const held = await this.kept.hold(sharedKey === "" ? undefined : `${sharedKey}:${name}`);
    try {
      const paths = include && followable(include);
      const stream = openFileSync(session, {
        name,
        exclude: ignore,
        signal,
        ...(paths ? { followPaths: paths } : {}),
      });
      await receiveFolder(stream, this.worker, held.path, progress);
    } catch (error) {
      held.release();
      throw error;
    }
    return { root: held.path, ignore, close: async () => held.release() };
  }
}

/** As the client takes them: below the root, without a slash; the root itself means everything. */
function followable(include: readonly string[]): string[] | undefined {
  const paths = include.map((path) => path.replace(/^(\.?\/)+/, "").replace(/\/+$/, ""));
  return paths.some((path) => path === "" || path === ".") ? undefined : paths;
}
