import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { SshSource } from "../../build/contract.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { GrpcStream } from "../grpc/client.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import { bytesMessage, checkAgentRequest, checkAgentResponse, sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

const idKey = "buildkit.ssh.id";
/** connections to one agent at a time */
const connectionsAtMost = 32;

/**
 * The client's SSH agents, each as a unix socket below `folder` while a step uses it: a connection to the socket is one
 * ForwardAgent stream.
 */
export function agentsOf(session: Session, folder: string, signal: AbortSignal): SshSource {
  return {
    open: async (id) => {
      if (!(await hasAgent(session, id, signal))) return undefined;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `${randomBytes(8).toString("hex")}.sock`);
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        void forward(session, id, socket, signal);
      });
      server.maxConnections = connectionsAtMost;
      await listen(server, path);
      return {
        path,
        close: async () => {
          for (const socket of sockets) socket.destroy();
          server.close();
          await rm(path, { force: true });
        },
      };
    },
  };
}

async function hasAgent(session: Session, id: string, signal: AbortSignal): Promise<boolean> {
  if (!session.serves(sessionMethods.checkAgent)) return false;
  try {
    await session.client.unary(sessionMethods.checkAgent, checkAgentRequest, { id }, checkAgentResponse, {
      signal,
    });
    return true;
  } catch (error) {
    // clients answer an unset id as unknown or notFound
    if (error instanceof GrpcError && error.code !== codes.canceled && error.code !== codes.unavailable)
      return false;
    throw error;
  }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });

async function forward(session: Session, id: string, socket: Socket, signal: AbortSignal): Promise<void> {
  socket.on("error", () => socket.destroy());
  let stream: GrpcStream;
  try {
    stream = session.stream(sessionMethods.forwardAgent, { metadata: { [idKey]: id }, signal });
  } catch {
    // the client has gone before the step: so has the agent
    socket.destroy();
    return;
  }
  socket.once("close", () => stream.cancel());
  const outgoing = async (): Promise<void> => {
    for await (const data of socket) await stream.send(encode(bytesMessage, { data: data as Buffer }));
    stream.closeSend();
  };
  const incoming = async (): Promise<void> => {
    for await (const message of stream.messages) socket.write(decode(bytesMessage, message).data);
    socket.end();
  };
  try {
    await Promise.all([outgoing(), incoming()]);
  } catch {
    // either end has gone: the agent's user sees its connection close
    socket.destroy();
  }
}
