import { posix } from "node:path";
import type { Run } from "../../../lib/dockerfile/instruction.ts";
import { parseRunMount, type RunMount } from "../../../lib/dockerfile/run-mount.ts";
import { EngineError } from "../../../lib/errors.ts";
import { sourceOf } from "../stages/source-of.ts";
import type { StageState } from "../state.ts";
import type { StepMount } from "../steps.ts";
import { clean } from "./paths.ts";

/** The mounts of a RUN with their defaults. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

export function resolveMounts(state: StageState, instruction: Run): StepMount[] {
  const parsed = instruction.mounts.map((text) =>
    parseRunMount(text, (word) => state.expand(instruction, word)),
  );
  let agents = 0;
  return parsed.map((mount) => {
    const agent = mount.type === "ssh" ? agents++ : 0;
    return new MountResolver(state, instruction, mount).resolve(agent);
  });
}

class MountResolver {
  private readonly state: StageState;
  private readonly instruction: Run;
  private readonly mount: RunMount;

  constructor(state: StageState, instruction: Run, mount: RunMount) {
    this.state = state;
    this.instruction = instruction;
    this.mount = mount;
  }

  resolve(agent: number): StepMount {
    const common = { ...this.mount, from: { kind: "scratch" } as const, source: "/" };
    if (this.mount.type === "secret") return { ...common, ...this.secret() };
    if (this.mount.type === "ssh") return { ...common, ...this.ssh(agent) };
    const target = this.target();
    if (target === "/") throw invalid(`invalid mount target ${JSON.stringify(target)}`);
    if (this.mount.type === "tmpfs") return { ...common, target, env: undefined };
    const source = posix.join("/", this.mount.source);
    return { ...common, from: this.from(), source, target, id: this.cacheId(), env: undefined };
  }

  private secret(): Pick<StepMount, "id" | "target" | "env"> {
    const { source, id: named, target, env } = this.mount;
    const id = source || named || posix.basename(target);
    const isFile = target !== "" || env === undefined;
    this.note(this.state.usage.secrets, id);
    return {
      id,
      target: isFile ? this.absolute(target || `/run/secrets/${posix.basename(id)}`) : undefined,
      env: env === "" ? posix.basename(id) : env,
    };
  }

  private ssh(agent: number): Pick<StepMount, "id" | "target" | "env"> {
    if (this.mount.source !== "") throw invalid("ssh does not support source");
    const id = this.mount.id || "default";
    this.note(this.state.usage.ssh, id);
    const target = this.absolute(this.mount.target || `/run/buildkit/ssh_agent.${agent}`);
    return { id, target, env: undefined };
  }

  private note(known: Map<string, { required: boolean; line: number }>, id: string): void {
    const line = this.instruction.source.location.start.line;
    if (!known.has(id)) known.set(id, { required: this.mount.required, line });
  }

  private target(): string {
    return this.absolute(this.mount.target);
  }

  private absolute(path: string): string {
    const cwd = this.state.config.WorkingDir || "/";
    return clean(path.startsWith("/") ? path : posix.join("/", cwd, path));
  }

  private from(): StepMount["from"] {
    const { from, type, target } = this.mount;
    if (from === "") return type === "cache" ? { kind: "scratch" } : { kind: "context" };
    const source = sourceOf(this.state, this.instruction, from);
    if (source.kind === "stage" && source.index >= this.state.stage.index)
      throw invalid(
        `cannot mount from stage ${JSON.stringify(from)} to ${JSON.stringify(target)}, stage needs to be defined before current command`,
      );
    return source;
  }

  /** Caches of different projects stay apart by their namespace. */
  private cacheId(): string {
    if (this.mount.type !== "cache") return this.mount.id;
    const namespace = this.state.plan.settings.buildArgs.get("BUILDKIT_CACHE_MOUNT_NS") ?? "";
    return `${namespace}/${this.mount.id || clean(this.mount.target)}`;
  }
}
