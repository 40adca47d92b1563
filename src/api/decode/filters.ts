import { EngineError } from "../../lib/errors.ts";

export type Filters = Map<string, string[]>;

/** The filter keys each list takes; another is refused by name. */
export const filterKeys = {
  containers: keys(
    "ancestor before exited expose health id is-task isolation label name network publish since status volume",
  ),
  containersPrune: keys("label label! until"),
  images: keys("before dangling label label! reference since until"),
  imagesPrune: keys("dangling label label! until"),
  volumes: keys("dangling driver label name"),
  volumesPrune: keys("all label label!"),
  networks: keys("dangling driver id label name scope type"),
  networksPrune: keys("label label! until"),
  buildPrune: keys("until unused-for id parent type description inuse shared private"),
} as const;

function keys(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/**
 * The `filters` parameter in either of its two shapes: `{"label":{"a=b":true}}` or `{"label":["a=b"]}`.
 * `accepted` undefined takes every key (events: an unknown one matches nothing it knows).
 */
export function parseFilters(source: string, accepted?: ReadonlySet<string>): Filters {
  const filters: Filters = new Map();
  if (source === "") return filters;
  const value = parseObject(source);
  for (const [key, item] of Object.entries(value)) filters.set(key, filterValues(item));
  if (accepted)
    for (const key of filters.keys())
      if (!accepted.has(key)) throw new EngineError("invalid", `invalid filter '${key}'`);
  return filters;
}

const invalid = (cause?: unknown): EngineError => new EngineError("invalid", "invalid filter", { cause });

function parseObject(source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw invalid(error);
  }
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid();
  return value as Record<string, unknown>;
}

function filterValues(item: unknown): string[] {
  if (item === null) return [];
  if (Array.isArray(item)) {
    if (!item.every((entry) => typeof entry === "string")) throw invalid();
    return item;
  }
  if (typeof item !== "object") throw invalid();
  if (!Object.values(item).every((on) => typeof on === "boolean")) throw invalid();
  return Object.keys(item);
}
