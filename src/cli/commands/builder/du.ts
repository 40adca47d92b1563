import { humanDuration, humanSize } from "../../../lib/text/units.ts";
import type { BuildCacheRecord } from "../../../types/api.ts";
import { cacheRecords } from "../../build/report/cache-records.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { filters } from "../../flags/common.ts";
import { bool, string } from "../../flags/flag.ts";
import { alignTabs } from "../../output/tabwriter.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    builder: string("builder", "Name of a builder; there is one"),
    filter: filters("filter", "Show only what matches (key=value)"),
    format: string("format", 'How to print: "json" for a JSON object a line'),
    verbose: bool("verbose", "Show all that is known of each record"),
  },
  async run({ session, flags }) {
    if (!["", "json", "pretty"].includes(flags.format))
      throw new CliError("templates for du are not built yet: use --format json");
    const records = (await cacheRecords(session)).filter((record) =>
      flags.filter.every(({ key, value }) => matches(record, key, value)),
    );
    if (flags.format === "json") for (const record of records) session.out(JSON.stringify(record));
    else if (flags.verbose || flags.format === "pretty") session.write(records.map(atLength).join(""));
    else session.write(table(records) + (flags.filter.length === 0 ? totals(records) : ""));
    return 0;
  },
});

function matches(record: BuildCacheRecord, key: string, value: string): boolean {
  if (key === "id") return record.ID.startsWith(value);
  if (key === "type") return record.Type === value;
  if (key === "description") return record.Description.includes(value);
  if (key === "inuse") return String(record.InUse) === (value || "true");
  if (key === "shared") return String(record.Shared) === (value || "true");
  throw new CliError(`ERROR: invalid filter ${JSON.stringify(key)}`);
}

const lastUsed = ({ LastUsedAt }: BuildCacheRecord): string =>
  LastUsedAt ? `${humanDuration((Date.now() - Date.parse(LastUsedAt)) / 1000)} ago` : "";

function table(records: readonly BuildCacheRecord[]): string {
  const rows = records.map((record) => [
    record.ID,
    String(!record.InUse),
    humanSize(record.Size),
    lastUsed(record),
  ]);
  const lines = [["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"], ...rows].map((row) => row.join("\t"));
  return `${alignTabs(lines.join("\n"))}\n`;
}

function atLength(record: BuildCacheRecord): string {
  const facts: [string, string][] = [
    ["ID", record.ID],
    ...(record.Parents?.length ? [["Parents", record.Parents.join(", ")] as [string, string]] : []),
    ["Created at", record.CreatedAt],
    ["Reclaimable", String(!record.InUse)],
    ["Shared", String(record.Shared)],
    ["Size", humanSize(record.Size)],
    ["Description", record.Description],
    ["Usage count", String(record.UsageCount)],
    ...(record.LastUsedAt ? [["Last used", lastUsed(record)] as [string, string]] : []),
    ["Type", record.Type],
  ];
  return `${facts.map(([name, value]) => `${`${name}:`.padEnd(14)}${value}\n`).join("")}\n`;
}

function totals(records: readonly BuildCacheRecord[]): string {
  const sum = (some: readonly BuildCacheRecord[]): string =>
    humanSize(some.reduce((total, { Size }) => total + Size, 0));
  const shared = records.filter(({ Shared }) => Shared);
  const own = records.filter(({ Shared }) => !Shared);
  const free = records.filter(({ InUse }) => !InUse);
  const parts = shared.length > 0 ? `Shared:\t\t${sum(shared)}\nPrivate:\t${sum(own)}\n` : "";
  return `${parts}Reclaimable:\t${sum(free)}\nTotal:\t\t${sum(records)}\n`;
}
