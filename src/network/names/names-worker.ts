import { EngineError, messageOf } from "../../lib/errors.ts";
import type { WorkerPort } from "../../system/workers/worker.ts";
import { NameServer } from "./name-server.ts";
import type { NamesCalls } from "./protocol.ts";

/** rounds after a wake-up in which the thread looks for its messages; the first nearly always has them */
const attentiveRounds = 20;
/** how long a busy thread goes without looking */
const restlessMs = 100;
/** after so many there is more wrong than one container */
const faultsMax = 1000;

/** The names Worker: a thread that waits for packets instead of messages; see `Poller`. */
export function start(port: WorkerPort): void {
  const server = new NameServer();
  port.onCall((method, args) => {
    const handler: unknown = server[method as keyof NamesCalls];
    if (typeof handler !== "function") throw new EngineError("internal", `names worker: no method ${method}`);
    if (method === "open") queueMicrotask(() => void run(server, port));
    return handler.call(server, args);
  });
}

async function run(server: NameServer, port: WorkerPort): Promise<void> {
  let attentive = attentiveRounds;
  let turnedMs = performance.now();
  let faults = 0;
  while (!server.ended) {
    try {
      if (server.poll(attentive > 0 ? 1 : undefined)) attentive = attentiveRounds;
      else if (attentive > 0) attentive--;
    } catch (error) {
      // one container's fault; what else was ready comes again in the next round
      port.emit({ fault: messageOf(error) });
      if (++faults < faultsMax) continue;
      // descriptors outlive a thread: nobody would read from them
      server.close();
      throw error;
    }
    if (attentive === 0 && performance.now() - turnedMs < restlessMs) continue;
    turnedMs = performance.now();
    await new Promise((resume) => setImmediate(resume));
  }
}
