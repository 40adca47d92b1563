import { canonical, parseReference } from "../../../lib/image/reference.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { indexOf, rawOf } from "./local/entry.ts";
import { named } from "./local/reference.ts";
import { readList, removeList } from "./local/store.ts";
import { putRemote } from "./remote.ts";

export const command = defineCommand({
  usage: "MANIFEST_LIST",
  description:
    "Push a list as an index. Images of other repositories of its registry are brought to its repository first.",
  arity: exactly(1),
  flags: {
    insecure: bool("insecure", "The engine's insecure-registries decide; there for docker's scripts"),
    purge: bool("purge,p", "Remove the list here once it is pushed"),
  },
  async run({ session, args: [name = ""], flags }) {
    const list = named(name);
    const entries = readList(session, list);
    if (entries.length === 0) throw new CliError(`${canonical(list)} not found`);
    for (const { Ref, Descriptor } of entries)
      if (!Descriptor.platform?.os || !Descriptor.platform.architecture)
        throw new CliError(`manifest ${Ref} must have an OS and Architecture to be pushed to a registry`);
    const index = indexOf(list, entries);
    const { domain, path } = list;
    const moved = entries
      .map((entry) => ({ entry, from: parseReference(entry.Ref).path }))
      .filter(({ from }) => from !== path)
      .map(({ entry, from }) => ({ entry, from, Raw: rawOf(entry) }));
    for (const { entry, from, Raw } of moved) {
      const { digest, mediaType } = entry.Descriptor;
      const image = { domain, path, digest };
      const put = await putRemote(session, image, { MediaType: mediaType, Raw, From: from });
      session.out(`Pushed ref ${canonical(image)} with digest: ${put}`);
    }
    const Raw = Buffer.from(index.text).toString("base64");
    session.out(await putRemote(session, list, { MediaType: index.mediaType, Raw }));
    if (flags.purge) removeList(session, list);
    return 0;
  },
});
