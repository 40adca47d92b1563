import type { Builds } from "../build/contract.ts";
import type { Logger } from "../lib/log.ts";
import { bridgeMethods } from "./bridge/bridge.ts";
import type { Buildkit } from "./contract.ts";
import { contentServed } from "./control/content.ts";
import { controlMethods } from "./control/control.ts";
import type { WorkerFacts } from "./control/worker.ts";
import { KeptFolders } from "./filesync/kept.ts";
import { FilesyncWorker } from "./filesync/worker.ts";
import { GrpcServer } from "./grpc/server.ts";
import { Sessions } from "./session/sessions.ts";
import type { Parts } from "./solve/parts.ts";
import { Solves } from "./solve/solves.ts";

interface BuildkitOptions {
  builds: Builds;
  logger: Logger;
  /** where copies of clients' folders are kept */
  contextsFolder: string;
  /** where the sockets of clients' SSH agents are made */
  agentsFolder: string;
  facts: WorkerFacts;
  forgetImage: Parts["forgetImage"];
}

export function openBuildkit({
  builds,
  logger,
  contextsFolder,
  agentsFolder,
  facts,
  forgetImage,
}: BuildkitOptions): Buildkit {
  const parts: Parts = {
    builds,
    logger,
    agentsFolder,
    forgetImage,
    sessions: new Sessions(),
    kept: new KeptFolders(contextsFolder, logger),
    worker: new FilesyncWorker(),
  };
  const solves = new Solves();
  const methods = new Map([
    ...controlMethods(parts, solves, facts),
    ...bridgeMethods(parts, solves),
    ...contentServed(solves),
  ]);
  const server = new GrpcServer(methods, logger);
  return {
    serve: (socket) => server.serve(socket),
    addSession: (hello, socket) => void parts.sessions.add(hello, socket),
    close: () => {
      server.close();
      parts.sessions.close();
      parts.worker.close();
    },
  };
}
