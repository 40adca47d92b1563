import { filterQuery } from "../../client/query.ts";
import { defineCommand, exactly } from "../command.ts";
import { registryAuth } from "../credentials/registry-auth.ts";
import { filters } from "../flags/common.ts";
import { bool, int, string } from "../flags/flag.ts";
import { formatList } from "../output/formatter.ts";
import { type SearchResult, searchRows } from "../output/rows/search-rows.ts";

/** docker's words */
const automated =
  'WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.';

export const command = defineCommand({
  usage: "TERM",
  arity: exactly(1),
  flags: {
    filter: filters(),
    format: string("format", "How to print each row: a Go template"),
    limit: int("limit", "How many results at most", 0),
    noTrunc: bool("no-trunc", "Do not shorten"),
  },
  async run({ session, args, flags }) {
    const term = args[0] ?? "";
    const head = term.split("/", 1)[0] ?? "";
    const domain = term.includes("/") && /[.:]/.test(head) ? head : "docker.io";
    if (flags.filter.some(({ key }) => key === "is-automated")) session.err(automated);
    const results = await session.client.json<SearchResult[] | null>("GET", "/images/search", {
      query: {
        term,
        filters: filterQuery(flags.filter),
        ...(flags.limit > 0 ? { limit: String(flags.limit) } : {}),
      },
      headers: await registryAuth(session, domain),
    });
    const sorted = (results ?? []).toSorted((a, b) => b.star_count - a.star_count);
    session.write(
      formatList(searchRows(!flags.noTrunc), sorted, {
        format: flags.format,
        table: "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
      }),
    );
    return 0;
  },
});
