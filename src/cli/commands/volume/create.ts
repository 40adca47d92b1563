import type { Volume } from "../../../types/api.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { list, map, string } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";
import { label } from "../../run/values.ts";

/** What only a cluster volume has, whose other options mean nothing without one of these. */
const clusterKeys = [
  "availability",
  "group",
  "limitBytes",
  "requiredBytes",
  "scope",
  "sharing",
  "type",
] as const;

const clusterFlags = () => {
  const usage = "Of a cluster volume, which needs a swarm";
  const hidden = { hidden: true };
  return {
    availability: string("availability", usage, "active", hidden),
    group: string("group", usage, "", hidden),
    limitBytes: string("limit-bytes", usage, "", hidden),
    requiredBytes: string("required-bytes", usage, "", hidden),
    scope: string("scope", usage, "single", hidden),
    secret: map("secret", usage, undefined, hidden),
    sharing: string("sharing", usage, "none", hidden),
    topologyPreferred: list("topology-preferred", usage, undefined, hidden),
    topologyRequired: list("topology-required", usage, undefined, hidden),
    type: string("type", usage, "block", hidden),
  };
};

export const command = defineCommand({
  hosted: true,
  usage: "[VOLUME]",
  arity: atMost(1),
  flags: {
    ...clusterFlags(),
    driver: string("driver,d", "Driver of the volume", "local"),
    label: list("label", "Set labels", label),
    name: string("name", "Name of the volume", "", { hidden: true }),
    opt: map("opt,o", "Options of the driver"),
  },
  async run({ session, args, flags, changed }) {
    const [name = ""] = args;
    if (name && flags.name)
      throw new CliError(
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      );
    const volume = await session.client.json<Volume>("POST", "/volumes/create", {
      json: {
        Driver: flags.driver,
        // the engine says why it has none
        ...(clusterKeys.some(changed) ? { ClusterVolumeSpec: {} } : {}),
        ...(Object.keys(flags.opt).length > 0 ? { DriverOpts: flags.opt } : {}),
        ...(flags.label.length > 0 ? { Labels: pairs(flags.label) } : {}),
        ...(name || flags.name ? { Name: name || flags.name } : {}),
      },
    });
    session.out(volume.Name);
    return 0;
  },
});
