import { defineCommand, exactly } from "../../command.ts";
import { unpackContext } from "../../contexts/archive.ts";
import { checkContextName, contextExists, writeContext, writeTls } from "../../contexts/store.ts";
import { CliError } from "../../errors.ts";

export const command = defineCommand({
  usage: "CONTEXT FILE|-",
  arity: exactly(2),
  flags: {},
  async run({ session, args }) {
    const [name = "", file = ""] = args;
    const folder = session.configFolder;
    checkContextName(name);
    if (contextExists(folder, name)) throw new CliError(`context ${JSON.stringify(name)} already exists`);
    const source = file === "-" ? Bun.stdin : Bun.file(file);
    if (file !== "-" && !(await Bun.file(file).exists()))
      throw new CliError(`open ${file}: no such file or directory`);
    const { meta, tls } = unpackContext(await source.bytes());
    writeContext(folder, { ...meta, Name: name });
    if (Object.keys(tls).length > 0) writeTls(folder, name, tls);
    session.out(name);
    session.err(`Successfully imported context ${JSON.stringify(name)}`);
    return 0;
  },
});
