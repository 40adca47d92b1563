import type { VerifyLine } from "../../../types/image-report.ts";
import { any, defineCommand } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { reportLines } from "../../stream/report-lines.ts";

export const command = defineCommand({
  usage: "[IMAGE...]",
  arity: any,
  flags: {
    json: bool("json", "Print lines of JSON"),
    quiet: bool("quiet,q", "Show only what is damaged"),
    repair: bool("repair", "Pull what is damaged again"),
  },
  async run({ session, args, flags }) {
    const response = await session.client.request("POST", "/berth/images/verify", {
      query: { images: [...args], repair: flags.repair ? "1" : undefined },
    });
    let unrepaired = 0;
    for await (const line of reportLines<VerifyLine>(response.body)) {
      if (line.kind === "end") unrepaired = line.damaged - line.repaired;
      if (flags.json) session.out(JSON.stringify(line));
      else if (!flags.quiet || line.kind === "end" || line.kind === "repair" || line.problem !== undefined)
        session.out(textOf(line));
    }
    return unrepaired === 0 ? 0 : 1;
  },
});

function textOf(line: VerifyLine): string {
  if (line.kind === "end")
    return `${line.layers} layers and ${line.images} images read: ${line.damaged} damaged, ${line.repaired} repaired`;
  if (line.kind === "repair")
    return line.problem === undefined
      ? `repaired  ${line.diffId} from ${line.from}`
      : `lost      ${line.diffId}: ${line.problem}`;
  const what = line.kind === "layer" ? line.diffId : line.id;
  const users = line.images.length > 0 ? `  ${line.images.join(", ")}` : "";
  return line.problem === undefined
    ? `ok        ${what}${users}`
    : `damaged   ${what}${users}: ${line.problem}`;
}
