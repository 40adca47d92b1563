import type { Session } from "../session.ts";
import { allPlugins } from "./find.ts";
import { type PluginMetadata, readMetadata } from "./metadata.ts";

export interface DescribedPlugin extends PluginMetadata {
  Name: string;
  Path: string;
}

/** All plugins with what they say of themselves, by name; `invalid` has a sentence for each that is none. */
export async function describePlugins(
  session: Session,
): Promise<{ plugins: DescribedPlugin[]; invalid: string[] }> {
  const invalid: string[] = [];
  const asked = [...allPlugins(session)].map(async ([Name, Path]): Promise<DescribedPlugin[]> => {
    try {
      return [{ ...(await readMetadata(Path)), Name, Path }];
    } catch (error) {
      invalid.push(`WARNING: Plugin ${JSON.stringify(Path)} is not valid: ${(error as Error).message}`);
      return [];
    }
  });
  const plugins = (await Promise.all(asked)).flat();
  return { plugins: plugins.sort((a, b) => (a.Name < b.Name ? -1 : 1)), invalid };
}
