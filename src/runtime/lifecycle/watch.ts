import { isRunning } from "../../system/process/signals.ts";
import { ProcessStreams } from "../attach/streams.ts";
import type { RuntimeContext } from "../context.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { inBundle } from "../paths.ts";

interface Watchable {
  id: string;
  bundle: string;
  terminal: boolean;
  stdin: boolean;
  keepsStdin: boolean;
  pid: number;
  conmonPid: number;
  cgroup: string;
  runtime: OciRuntime;
}

/** From here on the engine knows the container's process and tells its exit. */
export function watchContainer(context: RuntimeContext, watchable: Watchable): void {
  const { id, bundle, pid, conmonPid, cgroup, runtime, ...rest } = watchable;
  const streams = new ProcessStreams({
    ...rest,
    socketPath: inBundle.attach(bundle),
    running: () => isRunning(pid),
  });
  context.containers.add({ id, bundle, pid, conmonPid, cgroup, runtime, streams });
  context.exits.add({
    id,
    bundle,
    monitored: () => isRunning(conmonPid),
    kill: () => context.cgroups.signalAll(cgroup, 9),
    oomKills: () => context.cgroups.oomKills(cgroup),
  });
}
