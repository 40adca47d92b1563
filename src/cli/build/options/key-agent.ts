import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildError } from "../failure.ts";

const startMs = 5000;

/**
 * An agent that holds private keys of files while this program runs: `--ssh id=key`. OpenSSH's own, so every kind of key works
 * and a passphrase is asked for where there is a terminal. It lives as long as the command it is given, which reads what we
 * hold open: it also ends when we are killed.
 */
export async function keyAgent(keys: readonly string[]): Promise<string> {
  if (Bun.which("ssh-agent") === null)
    throw buildError("keys of files need OpenSSH's ssh-agent (apt install openssh-client)");
  const folder = await mkdtemp(join(tmpdir(), "berth-ssh-"));
  const socket = join(folder, "agent");
  const agent = Bun.spawn(["ssh-agent", "-a", socket, "cat"], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  process.once("exit", () => {
    agent.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const end = performance.now() + startMs; !existsSync(socket); await Bun.sleep(5))
    if (performance.now() > end || agent.exitCode !== null) throw buildError("ssh-agent did not start");
  const adding = Bun.spawn(["ssh-add", "-q", ...keys], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    stdin: "inherit",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await adding.exited) !== 0) throw buildError(`no key could be read of ${keys.join(", ")}`);
  return socket;
}
