import { posix } from "node:path";
import { EngineError } from "../lib/errors.ts";
import { signalPidfd } from "../system/process/signals.ts";
import { Expectation } from "./cgroups/expect.ts";
import { updateLimits } from "./cgroups/update.ts";
import { readUsage } from "./cgroups/usage.ts";
import { resizeTerminal, type TerminalSize } from "./conmon/control.ts";
import type { RuntimeContext } from "./context.ts";
import type {
  Attachment,
  AttachOptions,
  ContainerProcess,
  ExecProcess,
  ExitReport,
  HeldNamespace,
  LogDriverRequest,
  LogOptions,
  LogPolicy,
  NamespaceKind,
  ProcessState,
  ResourceUsage,
  Runtime,
  RuntimeFacts,
  StepEnd,
  StepProcess,
} from "./contract.ts";
import { Execs, type RunningExec } from "./exec/exec.ts";
import { holdNamespace } from "./held-namespace.ts";
import { createContainer } from "./lifecycle/create.ts";
import { deleteContainer } from "./lifecycle/delete.ts";
import { type Adoptable, adoptContainer, inspectContainer, sweepRemains } from "./lifecycle/recover.ts";
import { runStep } from "./lifecycle/run.ts";
import { startContainer } from "./lifecycle/start.ts";
import type { LogForwarders } from "./log-drivers/forwarders.ts";
import { clearLog } from "./logs/clear.ts";
import { readLogs } from "./logs/read.ts";
import { LogRotation } from "./logs/rotation.ts";
import type { ResourcesInput } from "./spec/input.ts";

/** The contract's methods, each a use case in a file of its own. */
export class ConmonRuntime implements Runtime {
  readonly facts: RuntimeFacts;
  private readonly context: RuntimeContext;
  private readonly execs: Execs;
  private readonly expectation: Expectation;
  private readonly rotation: LogRotation;
  /** loaded with the first container that needs it */
  private forwarders: Promise<LogForwarders> | undefined;
  private openForwarders: LogForwarders | undefined;

  constructor(context: RuntimeContext, facts: RuntimeFacts) {
    this.context = context;
    this.facts = facts;
    this.execs = new Execs(context);
    this.expectation = new Expectation(context);
    this.rotation = new LogRotation(context, (id) => this.openForwarders?.inodeOf(id));
    context.exits.onExit(({ id }) => this.rotation.stop(id));
  }

  cgroupPathFor(id: string, parent = this.context.cgroupParent): string {
    // as runc has it: what would lead out of the hierarchy stays in it
    return posix.join(posix.normalize(`/${parent}`), id);
  }

  expectProcess(): void {
    this.expectation.tell();
  }

  run(step: StepProcess): Promise<StepEnd> {
    return runStep(this.context, step);
  }

  create(container: ContainerProcess): Promise<number> {
    return createContainer(this.context, container);
  }

  start(id: string): Promise<void> {
    return startContainer(this.context, id);
  }

  async kill(id: string, signal: number, { all = false }: { all?: boolean } = {}): Promise<void> {
    const { pidfd, cgroup } = this.context.containers.get(id);
    if (all) this.context.cgroups.signalAll(cgroup, signal);
    else if (pidfd === undefined || !signalPidfd(pidfd, signal))
      throw new EngineError("notFound", `container ${id} has no process`);
  }

  holdNamespace(id: string, kind: NamespaceKind): HeldNamespace {
    const { pid, pidfd } = this.context.containers.get(id);
    return holdNamespace({ pid, pidfd }, kind, id);
  }

  pause(id: string): Promise<void> {
    return this.context.cgroups.freeze(this.context.containers.get(id).cgroup, true);
  }

  resume(id: string): Promise<void> {
    return this.context.cgroups.freeze(this.context.containers.get(id).cgroup, false);
  }

  delete(id: string): Promise<void> {
    this.rotation.stop(id);
    return deleteContainer(this.context, id);
  }

  inspect(id: string): Promise<ProcessState | ExitReport | undefined> {
    return inspectContainer(this.context, id);
  }

  onExit(listener: (report: ExitReport) => void): void {
    this.context.exits.onExit(listener);
  }

  adopt(container: Adoptable): Promise<void> {
    return adoptContainer(this.context, container);
  }

  usage(id: string): Promise<ResourceUsage> {
    return readUsage(this.context, id);
  }

  update(id: string, limits: ResourcesInput): Promise<void> {
    return updateLimits(this.context, id, limits);
  }

  async pids(id: string): Promise<number[]> {
    return this.context.cgroups.pids(this.context.containers.get(id).cgroup);
  }

  attach(id: string, options: AttachOptions): Promise<Attachment> {
    return this.context.containers.get(id).streams.attach(options);
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    resizeTerminal(this.context.containers.get(id).bundle, size);
  }

  exec(exec: ExecProcess, attach: AttachOptions | undefined): Promise<RunningExec> {
    return this.execs.run(exec, attach);
  }

  async resizeExec(execId: string, size: TerminalSize): Promise<void> {
    resizeTerminal(this.execs.bundle(execId), size);
  }

  logs(logPath: string, options: LogOptions, ended: Promise<unknown>): ReadableStream<Uint8Array> {
    return readLogs(logPath, options, ended);
  }

  clearLogs(id: string, logPath: string): Promise<void> {
    return clearLog(logPath, this.context.containers.find(id)?.bundle);
  }

  rotate(id: string, logPath: string, policy: LogPolicy): void {
    this.rotation.keep(id, logPath, policy);
  }

  async openLogDriver(request: LogDriverRequest): Promise<(ended: Promise<unknown>) => void> {
    this.forwarders ??= this.loadForwarders();
    return (await this.forwarders).open(request);
  }

  private async loadForwarders(): Promise<LogForwarders> {
    const { LogForwarders } = await import("./log-drivers/forwarders.ts");
    this.openForwarders = new LogForwarders(this.context.logger);
    return this.openForwarders;
  }

  async drainLogDriver(id: string, timeoutMs: number): Promise<void> {
    await this.openForwarders?.drain(id, timeoutMs);
  }

  sweep(alive: ReadonlySet<string>): Promise<void> {
    return sweepRemains(this.context, alive);
  }

  /** Containers go on; with none left, the engine's cgroup and the hierarchies it mounted go too. */
  async close(): Promise<void> {
    this.rotation.close();
    await this.openForwarders?.close();
    this.context.exits.close();
    this.context.launcher.close();
    const containers = this.context.containers.all();
    await Promise.all(containers.map(({ streams }) => streams.close()));
    for (const { id } of containers) this.context.containers.remove(id);
    if (this.context.cgroups.children(this.context.cgroupParent).length > 0) return;
    this.context.cgroups.remove(this.context.cgroupParent);
  }
}
