import type { dlopen as Dlopen, Pointer, ptr as Ptr, read as Read } from "bun:ffi";

/*
 * The few system calls that every command makes, straight to libc: loading `node:fs` costs 2 ms, `node:tty` 4 and
 * `process.stdout` 14, where a whole command may cost 12. Everything else uses Bun's modules. What stands behind
 * `bun:ffi` is taken without it, for that is a module of JavaScript which each start would parse: half a millisecond.
 */
const { dlopen, ptr, read } = (
  Bun as unknown as { FFI: { dlopen: typeof Dlopen; ptr: typeof Ptr; read: typeof Read } }
).FFI;
const libc = dlopen("libc.so.6", {
  __errno_location: { returns: "ptr" },
  open: { args: ["cstring", "i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
  write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
}).symbols;

// asm-generic/errno.h, the same on x86_64 and aarch64
const codes: Record<number, string> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  5: "EIO",
  9: "EBADF",
  11: "EAGAIN",
  13: "EACCES",
  17: "EEXIST",
  20: "ENOTDIR",
  21: "EISDIR",
  28: "ENOSPC",
  32: "EPIPE",
  104: "ECONNRESET",
  111: "ECONNREFUSED",
};

/** A failed system call; `code` is errno's name, as Node's errors have it. */
class SystemError extends Error {
  readonly code: string;
  constructor(call: string, errno: number, subject: string) {
    const code = codes[errno] ?? `errno ${errno}`;
    super(`${call} ${subject}: ${code}`);
    this.code = code;
  }
}

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

const errno = (): number => read.i32(libc.__errno_location() as Pointer);

/** How many of the bytes were written; `EAGAIN` and `EPIPE` are errors like all others. */
export function write(fd: number, bytes: Uint8Array): number {
  for (;;) {
    const written = Number(libc.write(fd, bytes, bytes.length));
    if (written >= 0) return written;
    const code = errno();
    if (codes[code] !== "EINTR") throw new SystemError("write", code, `to descriptor ${fd}`);
  }
}

/** At most as many bytes as there is room for; 0 at the end. Waits for the first. */
export function readSome(fd: number, into: Uint8Array): number {
  for (;;) {
    const length = Number(libc.read(fd, into, into.length));
    if (length >= 0) return length;
    const code = errno();
    if (codes[code] !== "EINTR") throw new SystemError("read", code, `from descriptor ${fd}`);
  }
}

export const closeFile = (fd: number): void => {
  libc.close(fd);
};

const unixFamily = 1; // AF_UNIX
const streamSocket = 0o2000001; // SOCK_STREAM | SOCK_CLOEXEC
/** What `struct sockaddr_un` has room for: unix(7). */
export const unixPathMax = 107;

/** A descriptor connected to the socket at `path`, whose reads and writes wait: connect(2). */
export function connectUnix(path: string): number {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  });
  const name = cString(path);
  const address = new Uint8Array(2 + name.length); // struct sockaddr_un: u16 family, then the path
  address[0] = unixFamily;
  address.set(name, 2);
  const fd = symbols.socket(unixFamily, streamSocket, 0);
  if (fd < 0) throw new SystemError("socket", errno(), path);
  if (symbols.connect(fd, address, address.length) === 0) return fd;
  const code = errno();
  libc.close(fd);
  throw new SystemError("connect", code, path);
}

const pollOut = 4; // POLLOUT

/** Whether a write of at most 4096 bytes (PIPE_BUF) would return at once: poll(2), pipe(7). */
export function isWritable(fd: number): boolean {
  const request = new Int32Array([fd, pollOut]); // struct pollfd: int fd, short events, short revents
  return libc.poll(ptr(request), 1, 0) === 1;
}

/** A small file's text; `undefined` where there is none. */
export function readText(path: string): string | undefined {
  const fd = libc.open(cString(path), 0o2000000 /* O_CLOEXEC */, 0);
  if (fd < 0) {
    const code = errno();
    if (codes[code] === "ENOENT") return undefined;
    throw new SystemError("open", code, path);
  }
  try {
    return readAll(fd);
  } finally {
    libc.close(fd);
  }
}

function readAll(fd: number): string {
  const decoder = new TextDecoder();
  const part = new Uint8Array(16 << 10);
  for (let text = ""; ; ) {
    const length = readSome(fd, part);
    if (length === 0) return text + decoder.decode();
    text += decoder.decode(part.subarray(0, length), { stream: true });
  }
}

const getWindowSize = 0x5413; // TIOCGWINSZ, ioctl_tty(2)

/** Rows and columns of a terminal; `undefined` for what is none, or is closed. */
export function terminalSize(fd: number): { rows: number; columns: number } | undefined {
  const size = new Uint16Array(4); // struct winsize
  if (libc.ioctl(fd, getWindowSize, ptr(size)) !== 0) return undefined;
  return { rows: size[0] ?? 0, columns: size[1] ?? 0 };
}

/** File types of inode(7). */
const nodeTypes = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;

/** Makes a pipe or a device: mknod(2), with the device number as glibc packs it. The binding is made when it is needed. */
export function makeNode(path: string, type: keyof typeof nodeTypes, major: number, minor: number): void {
  const { symbols } = dlopen("libc.so.6", { mknod: { args: ["cstring", "u32", "u64"], returns: "i32" } });
  const [high, low] = [BigInt(major), BigInt(minor)];
  const device =
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
  if (symbols.mknod(cString(path), nodeTypes[type] | 0o600, device) < 0)
    throw new SystemError("mknod", errno(), path);
}
