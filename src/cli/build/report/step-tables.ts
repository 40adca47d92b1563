import { humanSize } from "../../../lib/text/units.ts";
import { tableText } from "../../output/table-text.ts";

interface ShownStep {
  name: string;
  started?: number | undefined;
  completed?: number | undefined;
  cached: boolean;
  skipped?: boolean | undefined;
  reasons?: string[] | undefined;
  usage?: { cpuMs: number; peakMemory: number; bytesAdded: number } | undefined;
}

const instructions = (steps: readonly ShownStep[]): ShownStep[] =>
  steps.filter(({ name }) => !name.startsWith("[internal]"));

/** `--explain`; what comes behind the instructions, as the export, always runs. */
export function stepReasons(steps: readonly ShownStep[]): string {
  const named = instructions(steps).filter(({ name }) => name.startsWith("["));
  const told = named.flatMap(({ name, cached, skipped, reasons }) => {
    const state = skipped ? "not needed" : cached || isImage(name) ? "from the cache" : "ran";
    return [`${name}: ${state}`, ...(reasons ?? []).map((reason) => `    ${reason}`)];
  });
  return `${["Why each step ran:", ...told].join("\n")}\n`;
}

/** What a stage begins with is there; as BuildKit does, it is told as done where nothing had to look into it. */
const isImage = (name: string): boolean => /^\[[^\]]*\] FROM /.test(name);

function timeOf({ name, started, completed, cached, skipped }: ShownStep): string {
  if (skipped) return "skipped";
  if (cached || isImage(name)) return "cached";
  return `${(((completed ?? 0) - (started ?? completed ?? 0)) / 1000).toFixed(1)}s`;
}

/** `--profile` */
export function stepCosts(steps: readonly ShownStep[]): string {
  const rows = instructions(steps).map((step) => {
    const { name, usage } = step;
    // what runs in the engine itself has no figures of its own
    const isProcess = usage !== undefined && usage.peakMemory > 0;
    return [
      timeOf(step),
      isProcess ? `${(usage.cpuMs / 1000).toFixed(2)}s` : "",
      isProcess ? humanSize(usage.peakMemory) : "",
      usage === undefined ? "" : humanSize(usage.bytesAdded),
      name,
    ];
  });
  return tableText([["TIME", "CPU", "MEMORY", "ADDED", "STEP"], ...rows], 3);
}
