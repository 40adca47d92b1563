import { wakeUp } from "../../system/inet/poller.ts";
import { RoleWorker } from "../../system/workers/worker.ts";
import type { NamesCalls } from "./protocol.ts";
import type { NamesThread } from "./resolver.ts";

/** Starts the names Worker: some 20 MB, and 20 ms until it answers. */
export async function startNamesThread(onFault: (text: string) => void): Promise<NamesThread> {
  const worker = new RoleWorker("names");
  worker.onEvent<{ fault: string }>(({ fault }) => onFault(fault));
  const { wakeFd } = await worker.call<ReturnType<NamesCalls["open"]>>("open", {});
  let open = true;
  const call: NamesThread["call"] = (method, args) => {
    const answer = worker.call(method, args);
    // it waits for packets, not for messages; a closed thread's descriptor may be another's by now
    if (open) wakeUp(wakeFd);
    return answer;
  };
  return {
    call,
    onFailure: (listener) =>
      worker.onFailure((error) => {
        open = false;
        listener(error);
      }),
    end: async () => {
      try {
        const closing = call("close", {});
        open = false;
        await closing;
      } finally {
        worker.terminate();
      }
    },
  };
}
