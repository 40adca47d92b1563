import { parseFlags } from "../flags/parse.ts";
import { programName } from "../program.ts";
import type { Session } from "../session.ts";
import { isTerminal } from "../stdio.ts";
import type { BuildFlags } from "./flags.ts";

/** `--on-error shell`: opens a shell in the image of a failed step, and says how to come back to it or dismiss it. */
export async function enterFailedStep(
  session: Session,
  image: string,
  { network }: Pick<BuildFlags, "network">,
): Promise<void> {
  const again = [
    `  ${programName} run -it --rm ${image}   opens a shell in what the failed step has written`,
    `  ${programName} rmi ${image}            dismisses it`,
  ];
  if (!isTerminal(0) || !isTerminal(1)) {
    session.err(`\nThe failed step is kept:\n${again.join("\n")}`);
    return;
  }
  session.err(
    `\nA shell in the failed step, with its variables, user and folder, without its mounts; exit ends it.`,
  );
  const { command } = await import("../commands/container/run.ts");
  const options = ["-it", "--rm", ...(network === "default" ? [] : ["--network", network]), image];
  const { values, changed, args } = parseFlags(command.flags, options, command.interspersed, session.around);
  try {
    await command.run({
      session,
      args,
      flags: values as never,
      changed: (key) => changed.has(key),
      path: `${programName} run`,
    });
  } finally {
    session.err(`The failed step is still there, as it was:\n${again.join("\n")}`);
  }
}
