import type { Volume } from "../../../types/api.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { list, map, string } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";
import { label } from "../../run/values.ts";

export const command = defineCommand({
  usage: "[VOLUME]",
  arity: atMost(1),
  flags: {
    driver: string("driver,d", "Driver of the volume", "local"),
    label: list("label", "Set labels", label),
    name: string("name", "Name of the volume", "", { hidden: true }),
    opt: map("opt,o", "Options of the driver"),
  },
  async run({ session, args, flags }) {
    const [name = ""] = args;
    if (name && flags.name)
      throw new CliError(
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      );
    const volume = await session.client.json<Volume>("POST", "/volumes/create", {
      json: {
        Driver: flags.driver,
        ...(Object.keys(flags.opt).length > 0 ? { DriverOpts: flags.opt } : {}),
        ...(flags.label.length > 0 ? { Labels: pairs(flags.label) } : {}),
        ...(name || flags.name ? { Name: name || flags.name } : {}),
      },
    });
    session.out(volume.Name);
    return 0;
  },
});
