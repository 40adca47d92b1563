import { humanSize } from "../../lib/units.ts";
import type { LocalBuildMessage, WireVertex } from "../../types/local-build.ts";
import { tableText } from "../output/table-text.ts";
import type { Display } from "./display/display.ts";

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
    const parts = [...(explain ? [this.reasons()] : []), ...(profile ? [this.costs()] : [])];
    return parts.join("\n").replace(/\n$/, "");
  }

  private reasons(): string {
    const told = this.instructions().flatMap(({ name, cached, skipped, reasons }) => {
      const state = skipped ? "not needed" : cached ? "from the cache" : "ran";
      const why = (reasons ?? []).map((reason) => `    ${reason}`);
      return [`${name}: ${state}`, ...why];
    });
    return `${["Why each step ran:", ...told].join("\n")}\n`;
  }

  private costs(): string {
    const rows = this.instructions().map(({ name, started, completed, cached, usage }) => [
      cached ? "cached" : `${(((completed ?? 0) - (started ?? 0)) / 1000).toFixed(1)}s`,
      usage === undefined ? "" : `${(usage.cpuMs / 1000).toFixed(1)}s`,
      usage === undefined ? "" : humanSize(usage.peakMemory),
      usage === undefined ? "" : humanSize(usage.bytesAdded),
      name,
    ]);
    return tableText([["TIME", "CPU", "MEMORY", "ADDED", "STEP"], ...rows], 3);
  }

  private instructions(): WireVertex[] {
    return [...this.steps.values()].filter(({ name }) => !name.startsWith("[internal]"));
  }
}
