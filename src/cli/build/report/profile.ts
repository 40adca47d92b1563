import type { LocalBuildMessage, WireVertex } from "../../../types/local-build.ts";
import type { Display } from "../display/display.ts";
import { stepCosts, stepReasons } from "./step-tables.ts";

/** Remembers what steps cost and why they ran, beside the display, for `--profile` and `--explain`. */
export class Profile implements Display {
  private readonly display: Display;
  private readonly steps = new Map<string, WireVertex>();

  constructor(display: Display) {
    this.display = display;
  }

  take(message: LocalBuildMessage): void {
    this.display.take(message);
    if (message.kind !== "vertex" || message.vertex.started === undefined) return;
    const { digest } = message.vertex;
    this.steps.set(digest, { ...this.steps.get(digest), ...message.vertex });
  }

  refresh(): void {
    this.display.refresh();
  }

  end(): void {
    this.display.end();
  }

  text({ explain, profile }: { explain: boolean; profile: boolean }): string {
    const steps = [...this.steps.values()];
    const parts = [...(explain ? [stepReasons(steps)] : []), ...(profile ? [stepCosts(steps)] : [])];
    return parts.join("\n").replace(/\n$/, "");
  }
}
