import { familiarName, parseReference } from "../../../lib/image/reference.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { imagePath } from "../../images/image-path.ts";

export const command = defineCommand({
  hosted: true,
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  arity: exactly(2),
  flags: {},
  interspersed: false,
  async run({ session, args }) {
    const [source = "", target = ""] = args;
    if (!/^(sha256:)?[0-9a-f]{64}$/.test(source)) parse(source);
    const reference = parse(target);
    if (reference.digest !== undefined)
      throw new CliError("refusing to create a tag with a digest reference");
    await session.client.call("POST", imagePath(source, "/tag"), {
      query: { repo: familiarName(reference), tag: reference.tag ?? "latest" },
    });
    return 0;
  },
});

function parse(name: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(name);
  } catch (error) {
    throw new CliError(
      `Error parsing reference: ${JSON.stringify(name)} is not a valid repository/tag: ${(error as Error).message}`,
    );
  }
}
