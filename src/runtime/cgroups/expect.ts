import { messageOf } from "../../lib/errors.ts";
import type { RuntimeContext } from "../context.ts";

/** The kernel stays prepared for some 20 ms; what is told again sooner than this is not worth a call. */
const goodForMs = 5;

/** Tells the kernel that a process is about to be put into a container's cgroup: see `CgroupTree.expectMove`. */
export class Expectation {
  private readonly context: Pick<RuntimeContext, "cgroups" | "logger">;
  private last = Number.NEGATIVE_INFINITY;
  private impossible = false;

  constructor(context: Pick<RuntimeContext, "cgroups" | "logger">) {
    this.context = context;
  }

  tell(): void {
    const now = performance.now();
    if (this.impossible || now - this.last < goodForMs) return;
    this.last = now;
    this.context.cgroups.expectMove().catch((error: unknown) => {
      // a group that may hold no processes (version 2) or that is not ours to write: starts are a little slower then
      this.impossible = true;
      this.context.logger.debug("cannot hasten cgroups", { error: messageOf(error) });
    });
  }
}
