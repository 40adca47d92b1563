import type { Builds, CacheRecord } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import type { Decoded, Encodable } from "../../lib/protobuf/schema.ts";
import type { pruneRequest, usageRecord } from "../messages/control.ts";
import { toTimestamp } from "../solve/status-message.ts";

type UsageRecord = Encodable<typeof usageRecord>;

/** The build cache as `buildx du` lists it. */
export function usage(builds: Builds, filters: readonly string[]): UsageRecord[] {
  const parsed = parseFilters(filters);
  return builds
    .cacheUsage()
    .map(recordOf)
    .filter((record) => matches(record, parsed));
}

/** Deletes as asked, and tells what went. */
export async function* prune(
  builds: Builds,
  request: Decoded<typeof pruneRequest>,
): AsyncGenerator<UsageRecord> {
  const before = new Map(builds.cacheUsage().map((record) => [record.id, record]));
  const { all, keepDuration, maxUsedSpace, reservedSpace, filter } = request;
  const keepBytes = maxUsedSpace || reservedSpace;
  const { deleted } = await builds.pruneCache({
    all,
    filters: parseFilters(filter),
    ...(keepBytes > 0 ? { keepBytes } : {}),
    ...(keepDuration > 0 ? { unusedForMs: keepDuration / 1e6 } : {}),
  });
  for (const id of deleted) {
    const record = before.get(id);
    yield record ? recordOf(record) : { id };
  }
}

function recordOf(record: CacheRecord): UsageRecord {
  const { id, parents, type, description, inUse, shared, size, createdAt, lastUsedAt, usageCount } = record;
  return {
    id,
    parents,
    recordType: type,
    description,
    inUse,
    shared,
    size,
    usageCount,
    mutable: type === "exec.cachemount" || type === "source.local",
    createdAt: toTimestamp(createdAt),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: toTimestamp(lastUsedAt) }),
  };
}

/** containerd's filters, as far as clients write them: `key==value`, `key`, joined by commas. */
function parseFilters(filters: readonly string[]): Map<string, string[]> {
  const parsed = new Map<string, string[]>();
  for (const part of filters.flatMap((each) => each.split(",")).filter((each) => each.trim() !== "")) {
    const match = /^([\w.]+)(?:(==|~=|!=)"?([^"]*)"?)?$/.exec(part.trim());
    if (!match) throw new EngineError("invalid", `failed to parse filter ${JSON.stringify(part)}`);
    const [, key = "", operator = "==", value = "true"] = match;
    if (operator !== "==")
      throw new EngineError("notImplemented", `cache filter ${operator} is not supported by berth yet`);
    parsed.set(key, [...(parsed.get(key) ?? []), value]);
  }
  return parsed;
}

function matches(record: UsageRecord, filters: ReadonlyMap<string, readonly string[]>): boolean {
  const fields: Record<string, unknown> = {
    id: record.id,
    type: record.recordType,
    inuse: record.inUse,
    mutable: record.mutable,
    shared: record.shared,
    private: !record.shared,
    description: record.description,
  };
  return [...filters].every(([key, values]) => !(key in fields) || values.includes(String(fields[key])));
}
