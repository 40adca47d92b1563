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
  const tests = parseFilters(filter);
  const wanted = [...before.values()].filter((record) => matches(recordOf(record), tests));
  const { deleted } = await builds.pruneCache({
    all,
    filters: new Map(tests.length > 0 ? [["id", wanted.map(({ id }) => id)]] : []),
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

/** Whether a field's value, as text, is wanted. */
interface FieldTest {
  key: string;
  fits(value: string): boolean;
}

/** containerd's filters, as far as clients write them: `key==value`, `id~=text`, `key`, joined by commas. */
function parseFilters(filters: readonly string[]): FieldTest[] {
  return filters
    .flatMap((each) => each.split(","))
    .filter((each) => each.trim() !== "")
    .map(parseFilter);
}

function parseFilter(part: string): FieldTest {
  const match = /^([\w.]+)(?:(==|~=|!=)"?([^"]*)"?)?$/.exec(part.trim());
  if (!match) throw new EngineError("invalid", `failed to parse filter ${JSON.stringify(part)}`);
  const [, key = "", operator = "==", wanted = "true"] = match;
  if (operator === "==") return { key, fits: (value) => value === wanted };
  if (operator === "!=") return { key, fits: (value) => value !== wanted };
  // regular expressions of strangers could cost without end
  if (!/^[\w.:/-]*$/.test(wanted))
    throw new EngineError(
      "notImplemented",
      `cache filter ${part}: berth takes no expressions, but plain text`,
    );
  return { key, fits: (value) => value.includes(wanted) };
}

/** All of them; a field that there is not fits nothing, so that nothing is deleted by a mistyped name. */
function matches(record: UsageRecord, tests: readonly FieldTest[]): boolean {
  const fields: Record<string, unknown> = {
    id: record.id,
    type: record.recordType,
    inuse: record.inUse,
    mutable: record.mutable,
    immutable: !record.mutable,
    shared: record.shared,
    private: !record.shared,
    description: record.description,
  };
  return tests.every(({ key, fits }) => Object.hasOwn(fields, key) && fits(String(fields[key])));
}
