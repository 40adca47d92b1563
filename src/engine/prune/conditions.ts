import { EngineError } from "../../lib/errors.ts";
import { nowNs } from "../../lib/time/time.ts";
import { parseTimestamp } from "../../lib/time/timestamp.ts";
import { type Filters, matchLabels } from "../../lib/wire/filters.ts";

/** What a prune's filters ask of one object: its labels, and that it was made before a moment. */
interface Conditions {
  labels(labels: Readonly<Record<string, string>> | null | undefined): boolean;
  /** `created` in Unix seconds */
  age(created: number): boolean;
}

export function conditionsOf(filters: Filters): Conditions {
  const until = filters.get("until") ?? [];
  if (until.length > 1) throw new EngineError("invalid", "more than one until filter specified");
  const beforeNs = until[0] === undefined ? undefined : parseTimestamp(until[0], nowNs());
  const unwanted = (filters.get("label!") ?? []).map((value) => new Map([["label", [value]]]));
  return {
    labels: (labels) =>
      matchLabels(filters, "label", labels) && !unwanted.some((one) => matchLabels(one, "label", labels)),
    age: (created) => beforeNs === undefined || BigInt(created) * 1_000_000_000n < beforeNs,
  };
}
