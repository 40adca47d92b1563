import { start } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";
import { waitHealthy, waitTimeout } from "../../run/wait-healthy.ts";
import type { Session } from "../../session.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [CONTAINER...]",
  description:
    "Start stopped containers. With --entrypoint one container starts with another program, this once and on the same files; what follows its name (after -- where it begins with a dash) is that program's arguments.",
  arity: atLeast(1),
  flags: {
    attach: bool("attach,a", "Show its output and pass signals on"),
    checkpoint: string("checkpoint", "Start from a checkpoint", "", { hidden: true }),
    checkpointDir: string("checkpoint-dir", "Folder of the checkpoints", "", { hidden: true }),
    detachKeys: string("detach-keys", "Keys that detach this terminal from the container"),
    entrypoint: string("entrypoint", "Program to run this once in place of the container's own"),
    interactive: bool("interactive,i", "Pass stdin on"),
    wait: bool("wait", "Return once they are healthy, or run where they have no health check"),
    waitTimeout: waitTimeout(),
  },
  async run({ session, args: given, flags }) {
    for (const [name, value] of [
      ["checkpoint", flags.checkpoint],
      ["checkpoint-dir", flags.checkpointDir],
    ] as const)
      if (value !== "")
        throw new CliError(
          `"--${name}" is only supported on a Docker daemon with experimental features enabled`,
        );
    const { names: args, entrypoint } = entrypointOf(given, flags.entrypoint);
    if (flags.attach || flags.interactive) {
      if (flags.wait) throw new CliError("conflicting options: --wait, and --attach or --interactive");
      if (args.length > 1) throw new CliError("you cannot start and attach multiple containers at once");
      session.around.needsProcess("an attached start");
      const { startAttached } = await import("./start-attached.ts");
      const detachKeys = flags.detachKeys || session.config.detachKeys || "";
      return startAttached(session, args[0] ?? "", {
        output: flags.attach || flags.interactive,
        input: flags.interactive,
        detachKeys,
        ...(entrypoint ? { entrypoint } : {}),
      });
    }
    const query = { entrypoint };
    const started = (name: string): Promise<void> =>
      flags.wait ? waitHealthy(session, name, flags.waitTimeout) : Promise.resolve();
    return startAll(session, args, query, started);
  },
});

/** With a program to run, the first argument is the container and the others are the program's. */
function entrypointOf(given: string[], program: string): { names: string[]; entrypoint?: string[] } {
  if (program === "") return { names: given };
  return { names: given.slice(0, 1), entrypoint: [program, ...given.slice(1)] };
}

async function startAll(
  session: Session,
  names: string[],
  query: Record<string, string | string[] | undefined>,
  started: (name: string) => Promise<void>,
): Promise<number> {
  const failed: string[] = [];
  const waiting: Promise<void>[] = [];
  for (const name of names) {
    try {
      await start(session.client, name, query);
      session.out(name);
      waiting.push(started(name));
    } catch (error) {
      session.err((error as Error).message);
      failed.push(name);
    }
  }
  const unhealthy = (await Promise.allSettled(waiting)).flatMap((result) =>
    result.status === "rejected" ? [(result.reason as Error).message] : [],
  );
  if (unhealthy.length > 0) throw new CliError(unhealthy.join("\n"), 1);
  if (failed.length > 0) throw new CliError(`Error: failed to start containers: ${failed.join(", ")}`);
  return 0;
}
