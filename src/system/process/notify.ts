import { closeSync } from "node:fs";
import { bindLibc, check } from "../libc.ts";

/** Tells the service manager about our state (sd_notify(3)): one datagram to the socket it named. */
const { socket, sendto } = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
});

const unixFamily = 1;
const datagramCloseOnExec = 2 | 0o2000000;
const noSignal = 0x4000;
const pathMax = 108;

/** Sends `state` ("READY=1") to the socket at `path`; a name that begins with `@` is abstract. */
export function notifyManager(path: string, state: string): void {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  if (name.length >= pathMax) throw new Error(`NOTIFY_SOCKET is too long: ${path}`);
  const address = Buffer.alloc(2 + name.length);
  new DataView(address.buffer, address.byteOffset).setUint16(0, unixFamily, true);
  name.copy(address, 2);
  const fd = check(socket(unixFamily, datagramCloseOnExec, 0), "open a datagram socket");
  try {
    const bytes = Buffer.from(state);
    check(Number(sendto(fd, bytes, bytes.length, noSignal, address, address.length)), `notify ${path}`);
  } finally {
    closeSync(fd);
  }
}
