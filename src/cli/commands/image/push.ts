import { familiarName, parseReference } from "../../../lib/image/reference.ts";
import { defineCommand, exactly } from "../../command.ts";
import { registryAuth } from "../../credentials/registry-auth.ts";
import { CliError } from "../../errors.ts";
import { platform as platformFlag } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { isEngine, pushToEngine } from "../../images/engine-transfer.ts";
import { imagePath, platformQuery } from "../../images/image-path.ts";
import { drain } from "../../images/pull.ts";
import { showProgress } from "../../stream/progress.ts";

/** docker's words */
const onePlatform = [
  "",
  " Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.",
  "         Other components, like attestations, will not be included.",
  "         To push the complete multi-platform image, remove the --platform flag.",
  "",
];

export const command = defineCommand({
  usage: "NAME[:TAG]",
  description: "Upload an image to a registry, or to another engine as ssh://[USER@]HOST[:PORT]/NAME[:TAG].",
  arity: exactly(1),
  flags: {
    allTags: bool("all-tags,a", "Upload every tag of the repository"),
    disableContentTrust: bool("disable-content-trust", "Skip signing", true, { hidden: true }),
    platform: platformFlag("Upload only this platform (os[/arch[/variant]])"),
    quiet: bool("quiet,q", "Show only the image's name"),
  },
  async run({ session, args, flags }) {
    if (isEngine(args[0] ?? "")) return pushToEngine(session, args[0] ?? "", flags);
    const named = parseReference(args[0] ?? "");
    if (flags.allTags && named.tag !== undefined) throw new CliError("tag can't be used with --all-tags/-a");
    if (named.digest !== undefined) throw new CliError("cannot push a digest reference");
    const platform = platformQuery(flags.platform, `Invalid platform ${flags.platform}`);
    const tag = flags.allTags ? undefined : (named.tag ?? "latest");
    if (!flags.allTags && named.tag === undefined && !flags.quiet) session.out("Using default tag: latest");
    if (platform !== undefined) for (const line of onePlatform) session.out(line);
    const name = familiarName(named);
    const response = await session.client.request("POST", imagePath(name, "/push"), {
      query: { tag, platform },
      headers: await registryAuth(session, named.domain),
    });
    if (!flags.quiet) await showProgress(response.body, 1);
    else {
      await drain(response.body);
      session.out(`${named.domain}/${named.path}${tag ? `:${tag}` : ""}`);
    }
    return 0;
  },
});
