import { type Poller, readable, writable } from "../../system/inet/poller.ts";
import { again, beginTcp, broken, connectUdp, receive, send } from "../../system/inet/socket.ts";
import type { NamespaceThread } from "../../system/namespaces/netns.ts";
import type { Ask, Asking, AskListener } from "./forwarder.ts";
import { dnsPort } from "./redirect.ts";

const messageMax = 65_535;
/** every answer goes through it before anything else is read */
const buffer = Buffer.alloc(messageMax + 2);

/** Questions to servers: a socket each, so that every one comes from a random port of its own. */
export const askBySocket =
  (poller: Poller, thread: Pick<NamespaceThread, "enter">): Ask =>
  (server, { netnsPath, transport }, message, listener) => {
    const endpoint = { address: server.address, port: dnsPort };
    const open = (): number => (transport === "udp" ? connectUdp(endpoint) : beginTcp(endpoint));
    const fd = server.from === "host" ? open() : thread.enter(netnsPath, open);
    return transport === "udp"
      ? askUdp(poller, fd, message, listener)
      : askTcp(poller, fd, message, listener);
  };

function askUdp(poller: Poller, fd: number, message: Buffer, listener: AskListener): Asking {
  poller.add(fd, readable, () => {
    const count = receive(fd, buffer);
    if (count === broken) listener.failed();
    else if (count !== again) listener.message(buffer.subarray(0, count));
  });
  send(fd, message);
  return { repeat: () => send(fd, message), close: () => poller.close(fd) };
}

/** Over TCP each message follows its length (RFC 1035 4.2.2). */
function askTcp(poller: Poller, fd: number, message: Buffer, listener: AskListener): Asking {
  let unsent = framed(message);
  let came = Buffer.alloc(0);
  const write = (): void => {
    const count = send(fd, unsent);
    if (count === broken) {
      listener.failed();
      return;
    }
    if (count > 0) unsent = unsent.subarray(count);
    if (unsent.length === 0) poller.change(fd, readable);
  };
  const read = (): void => {
    const count = receive(fd, buffer);
    if (count === again) return;
    if (count === broken || count === 0) {
      listener.failed();
      return;
    }
    came = Buffer.concat([came, buffer.subarray(0, count)]);
    const whole = firstMessage(came);
    if (whole) listener.message(whole);
    else if (came.length > messageMax + 2) listener.failed();
  };
  poller.add(fd, writable, () => (unsent.length > 0 ? write() : read()));
  return { repeat: () => undefined, close: () => poller.close(fd) };
}

export const framed = (message: Buffer): Buffer => {
  const frame = Buffer.alloc(2 + message.length);
  frame.writeUInt16BE(message.length);
  frame.set(message, 2);
  return frame;
};

/** The first message of a stream, once all of it has come. */
export function firstMessage(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined;
  const end = 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? undefined : bytes.subarray(2, end);
}
