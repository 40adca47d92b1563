import { parseGoDuration } from "../../../lib/go/duration.ts";
import { shortId } from "../../../lib/ids.ts";
import { humanDuration, humanSize, parseRamSize } from "../../../lib/text/units.ts";
import type { GcAnswer } from "../../../types/image-report.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";

/** Removes unused images by policy; what containers use and what is pinned stays. */
export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    dryRun: bool("dry-run", "Show what would go, and why"),
    json: bool("json", "Print the answer as JSON"),
    keepSize: string("keep-size", "Remove until all layers together take no more than this (20GB)"),
    minFree: string("min-free", "Remove until this much is free on the disk (10GB)"),
    unusedFor: string("unused-for", "Remove what was not used for this long (720h)"),
  },
  async run({ session, flags }) {
    if (!flags.keepSize && !flags.minFree && !flags.unusedFor)
      throw new CliError("gc needs --keep-size, --min-free or --unused-for");
    const answer = await session.client.json<GcAnswer>("POST", "/berth/images/gc", {
      query: {
        dryRun: flags.dryRun ? "1" : undefined,
        keepBytes: flags.keepSize ? parseRamSize(flags.keepSize) : undefined,
        freeBytes: flags.minFree ? parseRamSize(flags.minFree) : undefined,
        unusedForMs: flags.unusedFor ? ageMs(flags.unusedFor) : undefined,
      },
    });
    if (flags.json) session.out(JSON.stringify(answer));
    else print(session, answer);
    return 0;
  },
});

function ageMs(text: string): number {
  const ms = Math.trunc(parseGoDuration(text) / 1e6);
  if (ms < 0) throw new CliError(`invalid age: '${text}'`);
  return ms;
}

function print(session: { out(line: string): void }, { removed, kept, bytes, dryRun }: GcAnswer): void {
  const nameOf = ({ id, tags }: { id: string; tags: string[] }): string => tags.join(", ") || shortId(id);
  const verb = dryRun ? "Would remove" : "Removed";
  for (const each of removed) {
    const age = humanDuration((Date.now() - each.lastUsedAt) / 1000).toLowerCase();
    session.out(`${verb} ${nameOf(each)}: ${each.reason}, last used ${age} ago, ${humanSize(each.bytes, 3)}`);
  }
  for (const each of kept) session.out(`Kept ${nameOf(each)}: ${each.reason}`);
  session.out(`Total ${dryRun ? "that would be " : ""}reclaimed: ${humanSize(bytes, 3)}`);
}
