import { at } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { alignTabs } from "../../output/tabwriter.ts";

export const command = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  arity: atLeast(1),
  interspersed: false,
  flags: {},
  async run({ session, args }) {
    const [id = "", ...options] = args;
    const { Titles, Processes } = await session.client.json<{
      Titles: string[];
      Processes: string[][] | null;
    }>("GET", at(id, "/top"), {
      query: { ps_args: options.length > 0 ? options.join(" ") : undefined },
    });
    session.write(
      `${alignTabs([Titles, ...(Processes ?? [])].map((row) => row.join("\t")).join("\n"), 20, 3)}\n`,
    );
    return 0;
  },
});
