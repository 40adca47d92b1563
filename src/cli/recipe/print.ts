import { inspect } from "../../client/containers.ts";
import { isNotFound } from "../../client/errors.ts";
import type { ImageInspect } from "../../types/api.ts";
import type { ImageRunConfig } from "../../types/oci.ts";
import type { SystemInfo } from "../../types/system.ts";
import { CliError } from "../errors.ts";
import { string } from "../flags/flag.ts";
import { imagePath } from "../images/image-path.ts";
import { programName } from "../program.ts";
import type { Session } from "../session.ts";
import { composeFile } from "./compose.ts";
import type { Recipe } from "./option.ts";
import { type EngineDefaults, recipeOf } from "./recipe.ts";
import { runWords, shellLine } from "./shell.ts";

export const asFlag = () =>
  string("as", 'Print what makes such a container again: a command ("run") or a compose file ("compose")');

const forms: Record<string, (recipe: Recipe) => string> = {
  run: (recipe) => shellLine(runWords(recipe, programName)),
  compose: composeFile,
};

/** `inspect --as`: one command or file for each container. */
export async function printRecipes(
  session: Session,
  names: readonly string[],
  as: string,
  format: string,
): Promise<number> {
  const form = Object.hasOwn(forms, as) ? forms[as] : undefined;
  if (!form) throw new CliError(`invalid value for --as: ${JSON.stringify(as)}: must be "run" or "compose"`);
  if (format !== "") throw new CliError("conflicting options: --as and --format");
  const engine = await defaultsOf(session);
  for (const name of names) {
    const container = await inspect(session.client, name);
    const image = await configOf(session, container.Image);
    const recipe = recipeOf(container, image ?? {}, engine);
    session.out(form(recipe));
    if (!image) session.err(`${name}: its image is gone, so what came from it is told, too`);
    for (const note of recipe.notes) session.err(`${name}: ${note}`);
  }
  return 0;
}

async function defaultsOf({ client }: Session): Promise<EngineDefaults> {
  const info = await client.json<SystemInfo>("GET", "/info");
  return { runtime: info.DefaultRuntime, cgroupVersion: info.CgroupVersion, logDriver: info.LoggingDriver };
}

async function configOf({ client }: Session, id: string): Promise<ImageRunConfig | undefined> {
  try {
    const { Config } = await client.json<ImageInspect>("GET", imagePath(id, "/json"));
    return Config ?? {};
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
