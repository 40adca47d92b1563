/** The query parameters of a request; a list is one parameter several times, `true` is 1. */
export type Query = Record<string, string | number | boolean | string[] | undefined>;

/** With its `?`; "" for no parameters. */
export function queryString(query: Query | undefined): string {
  if (!query) return "";
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value])
      parameters.append(name, item === true ? "1" : String(item));
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

/** The `filters` parameter of list, prune and events requests: `{"label":{"a":true}}`; `undefined` when empty. */
export function filterQuery(filters: readonly { key: string; value: string }[]): string | undefined {
  if (filters.length === 0) return undefined;
  // without a prototype, where a key of its name would be lost, and a prune prune all
  const grouped = Object.create(null) as Record<string, Record<string, boolean>>;
  for (const { key, value } of filters) grouped[key] = { ...grouped[key], [value]: true };
  return JSON.stringify(grouped);
}
