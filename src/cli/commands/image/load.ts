import { defineCommand, none } from "../../command.ts";
import { platform } from "../../flags/common.ts";
import { bool, string } from "../../flags/flag.ts";
import { platformQuery } from "../../images/image-path.ts";
import { isTerminal, writeOut } from "../../stdio.ts";
import { archiveFrom } from "../../stream/archive-input.ts";
import { showProgress } from "../../stream/progress.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    input: string("input,i", "Read from a file, not from stdin"),
    platform: platform("Load only this platform (os[/arch[/variant]])"),
    quiet: bool("quiet,q", "Show only what was loaded"),
  },
  async run({ session, flags }) {
    const body = await archiveFrom(flags.input, "load");
    const quiet = flags.quiet || !isTerminal(1);
    const response = await session.client.request("POST", "/images/load", {
      query: { quiet: quiet ? "1" : "0", platform: platformQuery(flags.platform, "invalid platform: ") },
      body,
      contentType: "application/x-tar",
    });
    if (response.headers["content-type"]?.startsWith("application/json"))
      await showProgress(response.body, 1);
    else for await (const chunk of response.body) await writeOut(1, chunk);
    return 0;
  },
});
