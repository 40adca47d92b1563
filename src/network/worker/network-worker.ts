import { EngineError } from "../../lib/errors.ts";
import { NamespaceThread } from "../../system/namespaces/netns.ts";
import { NetlinkSocket } from "../../system/netlink/socket.ts";
import { Libnftables } from "../../system/nftables/nftables.ts";
import type { WorkerPort } from "../../system/workers/worker.ts";
import { HostNetwork } from "../kernel/host.ts";
import type { NetworkCalls, NetworkEvent } from "./protocol.ts";

/** The network Worker: the only thread that enters namespaces, and the one that waits for the kernel. */
export function start(port: WorkerPort): void {
  const host = new HostNetwork({
    thread: new NamespaceThread(),
    netlink: new NetlinkSocket(),
    openNetlink: (protocol) => new NetlinkSocket(protocol),
    nftables: new Libnftables(0, (rulesPort) => port.emit({ rulesPort } satisfies NetworkEvent)),
  });
  port.onCall((method, args) => {
    const handler: unknown = host[method as keyof NetworkCalls];
    if (typeof handler !== "function")
      throw new EngineError("internal", `network worker: no method ${method}`);
    return handler.call(host, args);
  });
}
