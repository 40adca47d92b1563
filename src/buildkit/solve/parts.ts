import type { Builds } from "../../build/contract.ts";
import type { Logger } from "../../lib/log.ts";
import type { KeptFolders } from "../filesync/kept.ts";
import type { FilesyncWorker } from "../filesync/worker.ts";
import type { Sessions } from "../session/sessions.ts";

/** What the front door is made of, beside its methods. */
export interface Parts {
  builds: Builds;
  sessions: Sessions;
  kept: KeptFolders;
  worker: FilesyncWorker;
  logger: Logger;
  /** for the sockets of clients' SSH agents */
  agentsFolder: string;
  /** takes a name away, and the image with it where it was its only one */
  forgetImage(reference: string): Promise<void>;
}
