import { familiar, familiarName, parseReference } from "../../../lib/image/reference.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { platform } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { isEngine, pullFromEngine } from "../../images/engine-transfer.ts";
import { pullImage } from "../../images/pull.ts";

export const command = defineCommand({
  usage: "NAME[:TAG|@DIGEST]",
  description:
    "Download an image from a registry, or from another engine as ssh://[USER@]HOST[:PORT]/NAME[:TAG].",
  arity: exactly(1),
  flags: {
    allTags: bool("all-tags,a", "Download every tag of the repository"),
    disableContentTrust: bool("disable-content-trust", "Skip verification of the image", true, {
      hidden: true,
    }),
    platform: platform("Platform of the image, where there are several"),
    quiet: bool("quiet,q", "Show only the image's name"),
  },
  async run({ session, args, flags }) {
    if (isEngine(args[0] ?? "")) return pullFromEngine(session, args[0] ?? "", flags);
    const named = parseReference(args[0] ?? "");
    const plain = named.tag === undefined && named.digest === undefined;
    if (flags.allTags && !plain) throw new CliError("tag can't be used with --all-tags/-a");
    const reference = !flags.allTags && plain ? { ...named, tag: "latest" } : named;
    if (!flags.allTags && plain && !flags.quiet) session.out("Using default tag: latest");
    await pullImage(session, reference, flags.platform, flags.quiet ? undefined : 1);
    session.out(
      flags.allTags || reference.domain !== "docker.io"
        ? familiarOr(reference)
        : `docker.io/${reference.path}${suffix(familiar(reference), familiarName(reference))}`,
    );
    return 0;
  },
});

const familiarOr = (reference: ReturnType<typeof parseReference>): string =>
  `${reference.domain}/${reference.path}${suffix(familiar(reference), familiarName(reference))}`;
const suffix = (whole: string, name: string): string => whole.slice(name.length);
