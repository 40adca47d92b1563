import { defineCommand, exactly } from "../../command.ts";
import { copyCommand } from "../../copy/copy.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "CONTAINER:SRC_PATH DEST_PATH|-\n\t{path} SRC_PATH|- CONTAINER:DEST_PATH",
  description:
    "Copy files and folders to or from a container\n\n'-' as the source reads a tar archive from stdin and unpacks it in a folder of the container; '-' as the destination writes a tar archive to stdout.",
  arity: exactly(2),
  flags: {
    archive: bool("archive,a", "Keep user and group ids"),
    followLink: bool("follow-link,L", "Follow a symbolic link that is the source"),
    glob: bool("glob", "Read the container's path as a pattern (* ? [ab] {a,b} **) and copy all it names"),
    quiet: bool("quiet,q", "Show no progress"),
  },
  run: ({ session, args, flags, changed }) =>
    copyCommand(session, args[0] ?? "", args[1] ?? "", { ...flags, always: changed("quiet") }),
});
