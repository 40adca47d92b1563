import type { DifferenceLine } from "../../../types/image-report.ts";
import { defineCommand, exactly } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { imagePath } from "../../images/image-path.ts";
import { size } from "../../output/rows/image-layers.ts";
import { reportLines } from "../../stream/report-lines.ts";

const letters = { added: "A", changed: "C", removed: "D" } as const;

export const command = defineCommand({
  usage: "IMAGE IMAGE",
  arity: exactly(2),
  flags: {
    json: bool("json", "Print lines of JSON"),
    quiet: bool("quiet,q", "Show only the paths"),
  },
  async run({ session, args, flags }) {
    const [before = "", after = ""] = args;
    const response = await session.client.request("GET", `/berth${imagePath(before, "/diff")}`, {
      query: { with: after },
    });
    const counts = { added: 0, changed: 0, removed: 0 };
    let bytes = 0;
    for await (const line of reportLines<DifferenceLine>(response.body)) {
      counts[line.kind]++;
      bytes += line.bytes;
      if (flags.json) session.out(JSON.stringify(line));
      else if (flags.quiet) session.out(line.path);
      else
        session.out(
          `${letters[line.kind]} ${signed(line.bytes).padStart(9)}  ${line.path}${detailsOf(line)}`,
        );
    }
    if (!flags.json && !flags.quiet)
      session.out(
        `\n${counts.added} added, ${counts.changed} changed, ${counts.removed} removed; ${signed(bytes)}`,
      );
    return 0;
  },
});

const signed = (bytes: number): string => `${bytes < 0 ? "-" : "+"}${size(Math.abs(bytes))}`;

/** What of a changed name is not told by its size. */
function detailsOf({ before, type, mode, owner, link }: DifferenceLine): string {
  if (before === undefined) return type === "directory" ? "/" : "";
  const told: string[] = [];
  if (before.type !== type) told.push(`${before.type} -> ${type}`);
  if (before.mode !== mode) told.push(`mode ${before.mode.toString(8)} -> ${mode.toString(8)}`);
  if (before.owner !== owner) told.push(`owner ${before.owner} -> ${owner}`);
  if (before.link !== link) told.push(`link ${before.link ?? ""} -> ${link ?? ""}`);
  return told.length > 0 ? `  (${told.join(", ")})` : "";
}
