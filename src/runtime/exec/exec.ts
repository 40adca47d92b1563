import { mkdir, readFile, writeFile } from "node:fs/promises";
import { EngineError } from "../../lib/errors.ts";
import { isRunning } from "../../system/process/signals.ts";
import { ProcessStreams } from "../attach/streams.ts";
import { execArguments } from "../conmon/arguments.ts";
import { Monitor } from "../conmon/monitor.ts";
import { raiseLimits } from "../conmon/raised-limits.ts";
import type { RunningContainer } from "../containers.ts";
import type { RuntimeContext } from "../context.ts";
import type { Attachment, AttachOptions, ExecProcess } from "../contract.ts";
import { removeFolder } from "../lifecycle/remove-folder.ts";
import { checkExecFolder, execFailure } from "../oci-runtime/failure.ts";
import { inBundle } from "../paths.ts";
import { specJson } from "../spec/json.ts";
import { directExec } from "./direct-exec.ts";

export interface RunningExec {
  pid: number;
  attachment?: Attachment;
  exit: Promise<number>;
}

/** Exit code when conmon was killed and cannot tell. */
const unknownExitCode = 137;
/** a connection for the sake of stdin alone */
const nothing: AttachOptions = { stdout: false, stderr: false };

/**
 * Processes in running containers. One with a terminal, with input or without a client has a conmon of its own, which serves
 * its streams and lets it outlive the engine; any other is a child of ours (`directExec`).
 */
export class Execs {
  private readonly context: RuntimeContext;
  private readonly bundles = new Map<string, string>();

  constructor(context: RuntimeContext) {
    this.context = context;
  }

  /** The bundle of a running exec that has a conmon. */
  bundle(execId: string): string {
    const bundle = this.bundles.get(execId);
    if (bundle === undefined) throw new EngineError("conflict", `exec ${execId} is not running`);
    return bundle;
  }

  async run(exec: ExecProcess, attach: AttachOptions | undefined): Promise<RunningExec> {
    checkExecFolder(exec.process.cwd);
    const container = this.context.containers.get(exec.containerId);
    const { process, prefix } =
      exec.remapped === true ? raiseLimits(exec.process) : { process: exec.process, prefix: [] };
    if (attach && !exec.stdin && !process.terminal)
      return directExec(this.context, container, { ...exec, process }, { ...attach, prefix });
    const bundle = this.context.paths.execBundle(exec.containerId, exec.id);
    await mkdir(bundle, { recursive: true, mode: 0o700 });
    this.bundles.set(exec.id, bundle);
    try {
      await writeFile(inBundle.process(bundle), specJson(process), { mode: 0o600 });
      return await this.spawn(container, exec, attach, { bundle, prefix });
    } catch (error) {
      await this.forget(exec.id, bundle);
      throw error;
    }
  }

  private async spawn(
    container: RunningContainer,
    exec: ExecProcess,
    attach: AttachOptions | undefined,
    { bundle, prefix }: { bundle: string; prefix: readonly string[] },
  ): Promise<RunningExec> {
    const { terminal } = exec.process;
    const typed = exec.stdin && attach !== undefined;
    // without a stdin, conmon would hand on the host's own /dev/null: crun chowns it to the exec's user, and the process
    // could chmod it. So there is a pipe in any case, which ends at once where nobody writes.
    const stdin = typed || !terminal;
    const held = attach ?? (terminal ? undefined : nothing);
    const argv = execArguments(
      { ...this.context, runtime: container.runtime },
      { containerId: exec.containerId, execId: exec.id, bundle, terminal, stdin, attach: held !== undefined },
    );
    const monitor = await Monitor.spawn([...prefix, ...argv], {
      cwd: bundle,
      hold: held !== undefined,
      enter: this.context.launcher.enterBy(container.runtime),
    });
    let pid = 0;
    const streams = new ProcessStreams({
      socketPath: inBundle.attach(bundle),
      terminal,
      stdin,
      keepsStdin: stdin && terminal,
      acceptsLate: !terminal,
      running: () => pid === 0 || isRunning(pid),
    });
    const attachment = held && (await attachHeld(monitor, streams, held));
    if (stdin && !typed) await attachment?.closeStdin();
    if (!attach) attachment?.close();
    try {
      pid = await execPid(monitor, exec, bundle);
    } catch (error) {
      attachment?.close();
      await streams.close();
      throw error;
    }
    const exit = this.exitOf(monitor, exec.id, bundle);
    return { pid, exit, ...(attach && attachment ? { attachment } : {}) };
  }

  private async exitOf(monitor: Monitor, execId: string, bundle: string): Promise<number> {
    const message = await monitor.next();
    await this.forget(execId, bundle);
    return message && message.data >= 0 ? message.data : unknownExitCode;
  }

  private async forget(execId: string, bundle: string): Promise<void> {
    this.bundles.delete(execId);
    await removeFolder(bundle);
  }
}

/** Attaches before the process runs, so that nothing it writes is missed. */
async function attachHeld(
  monitor: Monitor,
  streams: ProcessStreams,
  options: AttachOptions,
): Promise<Attachment> {
  try {
    await monitor.attachable;
    const attachment = await streams.attach(options);
    monitor.release();
    return attachment;
  } catch (error) {
    // it would wait for ever; ending its pipes instead could let it run the command
    monitor.process.kill();
    await streams.close();
    throw error;
  }
}

async function execPid(
  monitor: Monitor,
  { id, process: { args, cwd } }: ExecProcess,
  bundle: string,
): Promise<number> {
  const message = await monitor.next();
  if (message && message.data > 0) return message.data;
  const exitCode = await monitor.process.exited;
  const said = (await runtimeLog(bundle)) || message?.message;
  if (said) throw execFailure(said, { command: args[0] ?? "", cwd });
  const why = monitor.complaint || `it ended with ${exitCode}`;
  throw new EngineError("internal", `exec ${id}: conmon did not run it: ${why}`);
}

async function runtimeLog(bundle: string): Promise<string> {
  try {
    return (await readFile(inBundle.log(bundle), "utf8")).trim();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return ""; // conmon ended before it ran the runtime
    throw error;
  }
}
