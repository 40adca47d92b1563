import { messageOf } from "../../../lib/errors.ts";
import { parseGoDuration } from "../../../lib/go/duration.ts";
import { humanDuration, humanSize } from "../../../lib/text/units.ts";
import { optionError } from "../../build/failure.ts";
import { cacheRecords } from "../../build/report/cache-records.ts";
import { defineCommand, none } from "../../command.ts";
import { bool, custom, type Flag, string } from "../../flags/flag.ts";
import { alignTabs } from "../../output/tabwriter.ts";
import { confirm } from "../../prompt.ts";
import { pruneFlags, pruneQuery } from "../../prune.ts";
import { bytes } from "../../run/values.ts";

const size = (name: string, usage: string, hidden = false): Flag<number> =>
  custom(name, "bytes", usage, 0, (_current, text) => bytes(text), { hidden });

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    ...pruneFlags,
    all: bool("all,a", "Remove all that is not in use, not only what nothing refers to"),
    builder: string("builder", "Name of a builder; there is one"),
    keepStorage: size("keep-storage", "Bytes of cache to keep", true),
    maxUsedSpace: size("max-used-space", "Bytes that the cache may take"),
    minFreeSpace: size("min-free-space", "Bytes of disk to be free afterwards"),
    reservedSpace: size("reserved-space", "Bytes of cache to keep"),
    verbose: bool("verbose", "Say more"),
  },
  async run({ session, flags }) {
    for (const { key, value } of flags.filter) if (key === "until") checkDuration(value);
    const which = flags.all ? "all" : "all dangling";
    const question = `WARNING! This will remove ${which} build cache. Are you sure you want to continue?`;
    if (!flags.force && !(await confirm(session, question))) return 0;
    const before = await cacheRecords(session);
    const keep = flags.maxUsedSpace || flags.reservedSpace || flags.keepStorage;
    const { CachesDeleted, SpaceReclaimed } = await session.client.json<{
      CachesDeleted: string[] | null;
      SpaceReclaimed: number;
    }>("POST", "/build/prune", {
      query: {
        ...pruneQuery(session, flags.filter),
        all: flags.all || undefined,
        "keep-storage": keep || undefined,
        "min-free-space": flags.minFreeSpace || undefined,
      },
    });
    const deleted = new Set(CachesDeleted);
    const rows = before.flatMap(({ ID, Size, LastUsedAt }) =>
      deleted.has(ID) ? [[ID, "true", humanSize(Size), ago(LastUsedAt)]] : [],
    );
    const lines = [["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"], ...rows].map((row) => row.join("\t"));
    if (rows.length > 0) session.write(`${alignTabs(lines.join("\n"))}\n`);
    session.out(`Total:\t${humanSize(SpaceReclaimed)}`);
    return 0;
  },
});

const ago = (moment: string | null): string =>
  moment ? `${humanDuration((Date.now() - Date.parse(moment)) / 1000)} ago` : "";

function checkDuration(text: string): void {
  try {
    parseGoDuration(text);
  } catch (error) {
    throw optionError(messageOf(error));
  }
}
