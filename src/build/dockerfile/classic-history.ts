import { formatGoDuration } from "../../lib/go/duration.ts";
import type { HealthConfig } from "../../types/oci.ts";

/**
 * What Docker's classic builder writes into an image's history: an instruction that runs nothing is a comment of the shell,
 * `/bin/sh -c #(nop)  ENV A=1`.
 */
export const classicNop = (shell: readonly string[] | undefined, text: string): string =>
  `${(shell?.length ? shell : ["/bin/sh", "-c"]).join(" ")} #(nop) ${text}`;

/** Stands in a COPY's sentence for the digest of what was copied, known once it was read. No path holds it. */
export const sourcesMark = "\0";

/** As Go prints the structure with `%v`. */
export function classicHealth({
  Test,
  Interval,
  Timeout,
  StartPeriod,
  StartInterval,
  Retries,
}: HealthConfig): string {
  const durations = [Interval, Timeout, StartPeriod, StartInterval].map((ns) => formatGoDuration(ns ?? 0));
  return `&{${[`[${(Test ?? []).join(" ")}]`, ...durations, String(Retries ?? 0)].join(" ")}}`;
}

interface CommandState {
  args: readonly { key: string; value: string | undefined }[];
  environment: ReadonlyMap<string, string>;
  isFixed(key: string): boolean;
  proxies: number;
}

/** `|2 A=1 B=2 /bin/sh -c make`: the ARGs that the step saw, by name. Proxies are counted in but not shown. */
export function classicCommand(args: readonly string[], state: CommandState): string {
  const seen = new Map<string, string>();
  for (const { key, value } of state.args) {
    const now = state.environment.get(key) ?? value;
    if (now !== undefined && !state.isFixed(key)) seen.set(key, now);
  }
  const told = [...seen].map(([key, value]) => `${key}=${value}`).sort();
  const prefix = told.length + state.proxies === 0 ? [] : [`|${told.length}`, ...told];
  return [...prefix, ...args].join(" ");
}
