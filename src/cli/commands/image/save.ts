import { ConnectionBroken } from "../../../client/errors.ts";
import type { VerifyLine } from "../../../types/image-report.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { platform } from "../../flags/common.ts";
import { string } from "../../flags/flag.ts";
import { platformQuery } from "../../images/image-path.ts";
import { programName } from "../../program.ts";
import type { Session } from "../../session.ts";
import { reportLines } from "../../stream/report-lines.ts";
import { saveTo } from "../../stream/save.ts";

/**
 * An archive that has begun can only break off, without a word: the engine is asked to read the images again. Where it
 * finds nothing damaged, or answers no more, that the stream broke is all there is to say.
 */
async function whyBroken(session: Session, images: string[], broken: ConnectionBroken): Promise<Error> {
  try {
    const response = await session.client.request("POST", "/berth/images/verify", { query: { images } });
    for await (const line of reportLines<VerifyLine>(response.body))
      if (line.kind === "layer" && line.problem !== undefined)
        return new CliError(
          `failed to save image: ${line.problem}\n'${programName} image verify --repair ${images.join(" ")}' pulls what is damaged again.`,
          1,
          { cause: broken },
        );
  } catch {
    // the first failure counts
  }
  return broken;
}

export const command = defineCommand({
  usage: "IMAGE [IMAGE...]",
  arity: atLeast(1),
  flags: {
    output: string("output,o", "Write to a file, not to stdout"),
    platform: platform("Save only this platform (os[/arch[/variant]])"),
  },
  async run({ session, args, flags }) {
    const query = { names: args, platform: platformQuery(flags.platform, "invalid platform: ") };
    try {
      await saveTo(flags.output, "save", () => session.client.request("GET", "/images/get", { query }));
    } catch (error) {
      throw error instanceof ConnectionBroken ? await whyBroken(session, args, error) : error;
    }
    return 0;
  },
});
