import { canonical } from "../../../lib/image/reference.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { fromRemote } from "./local/entry.ts";
import { named } from "./local/reference.ts";
import { findEntry, findList, saveEntry } from "./local/store.ts";
import { readRemote } from "./remote.ts";

export const command = defineCommand({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  usageWithoutOptions: true,
  description:
    "Begin a list of images for several platforms, kept on this machine until it is pushed. The engine asks their registry.",
  arity: atLeast(2),
  flags: {
    amend: bool("amend,a", "Add to a list that is here already"),
    insecure: bool("insecure", "The engine's insecure-registries decide; there for docker's scripts"),
  },
  async run({ session, args: [name = "", ...images], flags }) {
    const list = named(name, `error parsing name for manifest list ${name}: `);
    if (findList(session, list) && !flags.amend)
      throw new CliError("refusing to amend an existing manifest list with no --amend flag");
    const entries = [];
    for (const each of images) {
      const image = named(each);
      const known = findEntry(session, list, image);
      entries.push({ image, entry: known?.Raw ? known : fromRemote(await readRemote(session, image)) });
    }
    for (const { image, entry } of entries) saveEntry(session, list, image, entry);
    session.out(`Created manifest list ${canonical(list)}`);
    return 0;
  },
});
