import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { string, strings } from "../../flags/flag.ts";
import { isKnownPlatform } from "./local/platforms.ts";
import { named } from "./local/reference.ts";
import { findEntry, saveEntry } from "./local/store.ts";

export const command = defineCommand({
  usage: "MANIFEST_LIST MANIFEST",
  description: "Say which platform an image of a list is for; what is not given stays.",
  arity: exactly(2),
  flags: {
    architecture: string("arch", "Architecture: amd64, arm64 …"),
    os: string("os", "Operating system: linux …"),
    osFeatures: strings("os-features", "Features of the operating system that it needs; they add up"),
    osVersion: string("os-version", "Version of the operating system"),
    variant: string("variant", "Variant of the architecture: v7 …"),
  },
  async run({ session, args: [listName = "", imageName = ""], flags }) {
    const list = named(listName, `annotate: error parsing name for manifest list ${listName}: `);
    const image = named(imageName, `annotate: error parsing name for manifest ${imageName}: `);
    const entry = findEntry(session, list, image);
    if (!entry) throw new CliError(`manifest for image ${imageName} does not exist in ${listName}`);
    const before = entry.Descriptor.platform ?? {};
    const platform = {
      ...before,
      ...(flags.os ? { os: flags.os } : {}),
      ...(flags.architecture ? { architecture: flags.architecture } : {}),
      ...(flags.variant ? { variant: flags.variant } : {}),
      ...(flags.osVersion ? { "os.version": flags.osVersion } : {}),
      "os.features": [...new Set([...(before["os.features"] ?? []), ...flags.osFeatures])],
    };
    if (!isKnownPlatform(platform.os ?? "", platform.architecture ?? ""))
      throw new CliError(
        `manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.architecture}`,
      );
    saveEntry(session, list, image, { ...entry, Descriptor: { ...entry.Descriptor, platform } });
    return 0;
  },
});
