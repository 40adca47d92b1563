import { EngineError } from "../../lib/errors.ts";
import { basicHeader } from "../auth/credentials.ts";
import type { SearchRequest, SearchResult, SearchResults } from "../contract.ts";
import { printable } from "../errors.ts";
import { errorOf } from "../http/answer-error.ts";
import type { Transport } from "../http/transport.ts";

const answerMax = 4 * 1024 * 1024;

/** The search of registry API version 1, which the Hub still answers; `host/term` asks another registry. */
export async function search(
  transport: Transport,
  base: URL,
  { term, limit, credentials, signal }: SearchRequest,
): Promise<SearchResults> {
  const url = new URL(`/v1/search?q=${encodeURIComponent(term)}&n=${limit}`, base);
  const headers = {
    "X-Docker-Token": "true",
    ...(credentials?.username ? { Authorization: basicHeader(credentials) } : {}),
  };
  const answer = await transport.send({ method: "GET", url, headers, signal });
  if (answer.status !== 200) {
    await errorOf(answer);
    throw new EngineError("internal", `Unexpected status code ${answer.status}`);
  }
  let value: { results?: unknown };
  try {
    value = JSON.parse(await answer.text(answerMax));
  } catch (cause) {
    throw new EngineError("internal", "error decoding registry search results: it is not JSON", { cause });
  }
  const results = Array.isArray(value?.results) ? value.results : [];
  return { results: results.slice(0, limit).map(resultOf) };
}

function resultOf(item: Record<string, unknown> | null): SearchResult {
  const text = (name: string): string =>
    typeof item?.[name] === "string" ? printable(item[name] as string) : "";
  return {
    star_count: typeof item?.["star_count"] === "number" ? item["star_count"] : 0,
    is_official: item?.["is_official"] === true,
    name: text("name"),
    is_automated: false,
    description: text("description"),
  };
}
