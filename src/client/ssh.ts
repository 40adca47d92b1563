import type { Connection } from "./connection.ts";
import { ConnectionBroken, SshEnded } from "./errors.ts";
import type { Host } from "./host.ts";

type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;

/** What ssh says at its end is told; a banner before it may be long. */
const toldMax = 4096;
/** Its output has ended: so does it, but for a program that closed it and goes on. */
const endMs = 2000;

/**
 * A connection through `ssh -- host docker system dial-stdio`, as docker's own client makes it: works with any
 * engine whose host has that command. Rejects with `SshEnded` where ssh, or that command, failed.
 */
export function openSsh(host: Extract<Host, { kind: "ssh" }>): Connection {
  const command = commandOf(host);
  const child: Child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const said = lastOf(child.stderr);
  const reader = child.stdout.getReader();
  let closed = false;
  const failure = async (): Promise<SshEnded | undefined> => {
    const code = closed ? 0 : await Promise.race([child.exited, Bun.sleep(endMs)]);
    return code === undefined || code === 0 ? undefined : new SshEnded(command, code, await said);
  };
  return {
    async read() {
      const { done, value } = await reader.read();
      if (!done) return value;
      const failed = await failure();
      if (failed) throw failed;
      return undefined;
    },
    async write(bytes) {
      try {
        // both may answer later, and each must be heard when it fails
        await Promise.all([child.stdin.write(bytes), child.stdin.flush()]);
      } catch (error) {
        throw (await failure()) ?? new ConnectionBroken("the connection was closed", { cause: error });
      }
    },
    closeWrite() {
      // what is lost by it the answer tells
      Promise.resolve(child.stdin.end()).catch(() => undefined);
    },
    close() {
      closed = true;
      child.kill();
    },
  };
}

function commandOf(host: Extract<Host, { kind: "ssh" }>): string[] {
  const dial = host.socket ? ["--host", `unix://${host.socket}`] : [];
  const options = [...(host.user ? ["-l", host.user] : []), ...(host.port ? ["-p", String(host.port)] : [])];
  return [
    "ssh",
    ...options,
    "-o",
    "ConnectTimeout=30",
    "-T",
    "--",
    host.hostname,
    host.program ?? "docker",
    ...dial,
    "system",
    "dial-stdio",
  ];
}

async function lastOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream as unknown as AsyncIterable<Uint8Array>)
    text = (text + decoder.decode(bytes, { stream: true })).slice(-toldMax);
  return text;
}
