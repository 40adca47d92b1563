import type { Connection } from "./connection.ts";
import type { Host } from "./host.ts";

type Child = Bun.Subprocess<"pipe", "pipe", "inherit">;

/**
 * A connection through `ssh -- host docker system dial-stdio`, as docker's own client makes it: works with any
 * engine whose host has that command.
 */
export function openSsh(host: Extract<Host, { kind: "ssh" }>): Connection {
  const dial = host.socket ? ["--host", `unix://${host.socket}`] : [];
  const options = [...(host.user ? ["-l", host.user] : []), ...(host.port ? ["-p", String(host.port)] : [])];
  const command = [
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
  const child: Child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  return {
    async read() {
      const { done, value } = await reader.read();
      return done ? undefined : value;
    },
    async write(bytes) {
      child.stdin.write(bytes);
      await child.stdin.flush();
    },
    closeWrite: () => void child.stdin.end(),
    close: () => child.kill(),
  };
}
