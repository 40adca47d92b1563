import { filterQuery } from "../client/query.ts";
import { humanSize } from "../lib/text/units.ts";
import { type Filter, filters } from "./flags/common.ts";
import { bool } from "./flags/flag.ts";
import { confirm } from "./prompt.ts";
import type { Session } from "./session.ts";

export const pruneFlags = {
  filter: filters("filter", 'Which to remove (e.g. "until=24h")'),
  force: bool("force,f", "Do not ask"),
};

/** Asks unless forced; a no ends the command in silence. */
export async function mayPrune(session: Session, force: boolean, warning: string): Promise<boolean> {
  return force || (await confirm(session, `WARNING! ${warning}\nAre you sure you want to continue?`));
}

/** The configuration's `pruneFilters` come before those of the command line. */
export function pruneQuery(
  session: Session,
  given: readonly Filter[],
  more: readonly Filter[] = [],
): { filters: string | undefined } {
  const configured = (session.config.pruneFilters ?? []).map((text): Filter => {
    const at = text.indexOf("=");
    return { key: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
  });
  return { filters: filterQuery([...configured, ...given, ...more]) };
}

export const reclaimed = (bytes: number): string => `Total reclaimed space: ${humanSize(bytes)}`;

/** `Deleted Volumes:`, a name a line, an empty line; nothing where nothing was deleted. */
export const deletedList = (title: string, names: readonly string[] | null | undefined): string =>
  names && names.length > 0 ? `${title}:\n${names.join("\n")}\n\n` : "";

/** What an image prune answers, as text. */
export function deletedImages(
  items: readonly ({ Untagged: string } | { Deleted: string })[] | null | undefined,
): string {
  return deletedList(
    "Deleted Images",
    (items ?? []).map((item) =>
      "Untagged" in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
    ),
  );
}
