import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Undo } from "../../../lib/undo.ts";

/** connections at a time */
const connectionsAtMost = 32;

/**
 * A unix socket whose connections are passed on to another: whoever gets it may be given owner and mode as a Dockerfile
 * asks, while the user's own socket stays as it is. In a folder that only root can enter; `undo` takes it back.
 */
export async function relayTo(target: string, folder: string, undo: Undo): Promise<string> {
  const place = await mkdtemp(join(folder, "agent-"));
  undo.add("agent's folder", () => rm(place, { recursive: true, force: true }));
  const path = join(place, "s");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const agent = connect(target);
    for (const [socket, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      sockets.add(socket);
      // either end going ends both
      socket.on("error", () => socket.destroy());
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.maxConnections = connectionsAtMost;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  undo.add("agent's socket", () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return path;
}
