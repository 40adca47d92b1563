import { SocketConnection } from "../../../client/connection.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { writeOut } from "../../stdio.ts";
import { openInput } from "../../stream/input.ts";

/** Joins stdin and stdout to the engine's socket: the far end of an `ssh://` host. */
export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {},
  async run({ session }) {
    const { host } = session.client;
    if (host.kind !== "unix") throw new CliError("dial-stdio works on a unix socket only");
    const connection = await SocketConnection.open({ unix: host.path });
    const input = async (): Promise<void> => {
      for await (const chunk of openInput()) await connection.write(chunk);
      connection.closeWrite();
    };
    input().catch(() => undefined); // the engine hung up: the output below ends as well
    for (let chunk = await connection.read(); chunk; chunk = await connection.read())
      await writeOut(1, chunk);
    return 0;
  },
});
