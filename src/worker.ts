/** Entry point of every worker thread: loads its role's module, then passes calls to it. */
import {
  type FromWorker,
  Given,
  type ToWorker,
  toWireError,
  type WorkerModule,
  type WorkerRole,
} from "./system/workers/worker.ts";

declare const self: Worker;

const roles: Record<WorkerRole, () => Promise<WorkerModule>> = {
  archive: () => import("./containers/archive/archive-worker.ts"),
  filesync: () => import("./buildkit/filesync/filesync-worker.ts"),
  build: () => import("./build/copy/worker/build-worker.ts"),
  runtime: () => import("./runtime/security/seccomp-worker.ts"),
  names: () => import("./network/names/names-worker.ts"),
  network: () => import("./network/worker/network-worker.ts"),
  snapshots: () => import("./snapshots/snapshots-worker.ts"),
  volumes: () => import("./volumes/volumes-worker.ts"),
};

const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => self.postMessage(message, transfer);

let handler: Promise<(method: string, args: never) => unknown> | undefined;

function load(role: WorkerRole): Promise<(method: string, args: never) => unknown> {
  return new Promise((resolve, reject) => {
    roles[role]().then((module) => {
      module.start({ onCall: resolve, emit: (event, transfer) => send({ event }, transfer) });
    }, reject);
  });
}

async function answer(call: number, method: string, args: unknown): Promise<void> {
  try {
    const handle = await handler;
    const value = await handle?.(method, args as never);
    if (value instanceof Given) send({ call, value: value.value }, [value.value.buffer]);
    else send({ call, value });
  } catch (error) {
    send({ call, error: toWireError(error) });
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if ("end" in data) process.exit(); // of this thread alone
  if ("role" in data) handler = load(data.role);
  else void answer(data.call, data.method, data.args);
};
