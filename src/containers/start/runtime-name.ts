import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/**
 * The runtime asked for by name; undefined = the engine's own. Clients that ask for runc, or by containerd's name for
 * it, want "the usual one": they get it where no runc was configured.
 */
export function runtimeName(ctx: Context, container: Container): string | undefined {
  const name = container.spec.hostConfig.Runtime;
  const plain = name === "io.containerd.runc.v2" ? "runc" : name;
  if (plain in ctx.config.runtimes) return plain;
  return plain === "runc" || plain === ctx.config.defaultRuntime ? undefined : plain;
}
