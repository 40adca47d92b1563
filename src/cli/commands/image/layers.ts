import type { ImageLine, LayerLine, LayerNameLine } from "../../../types/image-report.ts";
import { defineCommand, exactly } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { imagePath } from "../../images/image-path.ts";
import { layersSummary, layersTable, nameLine } from "../../output/rows/image-layers.ts";
import { reportLines } from "../../stream/report-lines.ts";

export const command = defineCommand({
  usage: "IMAGE",
  arity: exactly(1),
  flags: {
    files: bool("files", "Show every name a layer adds (A), changes (C) or hides (D)"),
    json: bool("json", "Print lines of JSON"),
    noTrunc: bool("no-trunc", "Do not shorten"),
  },
  async run({ session, args, flags }) {
    const response = await session.client.request("GET", `/berth${imagePath(args[0] ?? "", "/layers")}`, {
      query: { files: flags.files ? "1" : undefined },
    });
    let image: ImageLine | undefined;
    const layers: LayerLine[] = [];
    for await (const line of reportLines<ImageLine | LayerLine | LayerNameLine>(response.body)) {
      if (flags.json) session.out(JSON.stringify(line));
      else if ("layers" in line) image = line;
      else if ("kind" in line) session.out(nameLine(line));
      else {
        layers.push(line);
        const { diffId = "", createdBy = "" } = image?.layers[line.layer] ?? {};
        if (flags.files) session.out(`\n${diffId}  ${createdBy}`);
      }
    }
    if (image === undefined || flags.json) return 0;
    if (flags.files) session.out("");
    session.out(layersTable(image, layers, flags.noTrunc));
    session.out(`\n${layersSummary(image, layers)}`);
    return 0;
  },
});
