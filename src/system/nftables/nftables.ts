import { CString, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { bindLibc, bindLibrary, check, cString } from "../libc.ts";
import { linkOf, moveBack, moveLow } from "./low-descriptors.ts";

/** What `network` needs of nftables; tests pass a recording fake. */
export interface Nftables {
  /** Runs commands in nft(8)'s syntax as one transaction: all or none. Throws `internal` with nft's own words. */
  run(commands: string): void;
  /** Runs a command that asks; nft's answer as text, with rules' handles where they are asked for. */
  list(command: string, options?: { handles: boolean }): string;
  close(): void;
}

const libc = bindLibc({
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});
const AF_NETLINK = 16;

const open = () =>
  bindLibrary("libnftables.so.1", {
    nft_ctx_new: { args: ["u32"], returns: "ptr" },
    nft_ctx_free: { args: ["ptr"], returns: "void" },
    nft_ctx_output_set_flags: { args: ["ptr", "u32"], returns: "void" },
    nft_ctx_buffer_error: { args: ["ptr"], returns: "i32" },
    nft_ctx_buffer_output: { args: ["ptr"], returns: "i32" },
    nft_ctx_get_error_buffer: { args: ["ptr"], returns: "ptr" },
    nft_ctx_get_output_buffer: { args: ["ptr"], returns: "ptr" },
    nft_run_cmd_from_buffer: { args: ["ptr", "ptr"], returns: "i32" },
  });

/** NFT_CTX_OUTPUT_HANDLE */
const outputHandles = 8;

type Library = ReturnType<typeof open>;

function load(): Library {
  try {
    return open();
  } catch (error) {
    const cause = messageOf(error);
    throw new EngineError(
      "internal",
      `libnftables is missing; install it: apt install libnftables1 (${cause})`,
    );
  }
}

/**
 * libnftables(3) by FFI. A context belongs to the network namespace in which it was made, and to one thread.
 * Loading is put off to the first command, so that an engine without bridge containers never needs the library.
 */
export class Libnftables implements Nftables {
  /** which descriptors of the reserve are this thread's */
  private readonly lane: number;
  private readonly opened: (port: number) => void;
  private library: Library | undefined;
  private context: ReturnType<Library["nft_ctx_new"]> = null;

  /** `opened` is told the netlink port under which the kernel tells of this context's changes. */
  constructor(lane = 0, opened: (port: number) => void = () => undefined) {
    this.lane = lane;
    this.opened = opened;
  }

  run(commands: string): void {
    this.list(commands);
  }

  list(commands: string, { handles } = { handles: false }): string {
    const library = this.ready();
    library.nft_ctx_output_set_flags(this.context, handles ? outputHandles : 0);
    if (library.nft_run_cmd_from_buffer(this.context, cString(commands)) === 0) {
      const answer = library.nft_ctx_get_output_buffer(this.context);
      return answer === null ? "" : new CString(answer).toString();
    }
    const text = library.nft_ctx_get_error_buffer(this.context);
    const said = text === null ? "" : new CString(text).toString();
    throw new EngineError("internal", `nftables: ${firstError(said)}`);
  }

  close(): void {
    if (this.context === null) return;
    const field = socketField(this.context as Pointer);
    if (field) field[0] = moveBack(field[0] ?? -1, this.lane);
    this.library?.nft_ctx_free(this.context);
    this.context = null;
  }

  /** libnftables waits for its socket with select(2), which knows no descriptor above 1023 and ends the process. */
  private lowerSocket(context: Pointer): void {
    const field = socketField(context);
    const fd = field?.[0] ?? -1;
    if (!field || !linkOf(fd).startsWith("socket:"))
      throw new EngineError("internal", "nftables: this libnftables keeps its socket elsewhere");
    field[0] = moveLow(fd, this.lane);
    this.opened(bindPort(field[0]));
  }

  private ready(): Library {
    this.library ??= load();
    if (this.context !== null) return this.library;
    this.context = this.library.nft_ctx_new(0);
    if (this.context === null) throw new EngineError("internal", "nftables: no context");
    this.lowerSocket(this.context as Pointer);
    this.library.nft_ctx_buffer_error(this.context);
    this.library.nft_ctx_buffer_output(this.context);
    return this.library;
  }
}

/**
 * The descriptor of a context's socket, where it lies in memory: `struct nft_ctx` begins with a `struct mnl_socket *`,
 * and that structure with its descriptor.
 */
function socketField(context: Pointer): Int32Array | undefined {
  const socket = read.ptr(context, 0);
  return socket === 0 ? undefined : new Int32Array(toArrayBuffer(socket as Pointer, 0, 4));
}

/** Lets the kernel choose the socket's port, as the first message would. `struct sockaddr_nl`: family, port, groups. */
function bindPort(fd: number): number {
  const address = new Uint32Array([AF_NETLINK, 0, 0]);
  check(libc.bind(fd, ptr(address), address.byteLength), "bind a netlink socket");
  check(
    libc.getsockname(fd, ptr(address), ptr(new Uint32Array([address.byteLength]))),
    "ask for a netlink port",
  );
  return address[1] ?? 0;
}

/** nft points at the command over several lines; the sentence is enough. */
const firstError = (said: string): string =>
  /Error: (.*)/.exec(said)?.[1] ?? said.split("\n")[0] ?? "the command failed without a word";
