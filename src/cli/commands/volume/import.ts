import type { Volume } from "../../../types/api.ts";
import { between, defineCommand } from "../../command.ts";
import { list, strings } from "../../flags/flag.ts";
import { label } from "../../run/values.ts";
import { archiveFrom } from "../../stream/archive-input.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME [FILE|-]",
  description:
    "Make a volume of a tar archive, compressed or not, from a file or stdin: whole, or not at all",
  arity: between(1, 2),
  flags: {
    label: list("label", "Set labels", label),
    opt: strings("opt,o", "Options of the local driver, as size=1g"),
  },
  async run({ session, args, flags }) {
    const [name = "", file = "-"] = args;
    const volume = await session.client.json<Volume>("PUT", volumePath(name, "/archive"), {
      query: { label: [...flags.label], opt: [...flags.opt] },
      body: await archiveFrom(file === "-" ? "" : file, "import"),
      contentType: "application/x-tar",
    });
    session.out(volume.Name);
    return 0;
  },
});
