import { filterQuery } from "../../../client/query.ts";
import { Template } from "../../../lib/go/template/template.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { filters, objectFormat } from "../../flags/common.ts";
import { string } from "../../flags/flag.ts";
import { moment } from "../../flags/moment.ts";
import { unescapeFormat } from "../../output/formatter.ts";
import { parseExact } from "../../output/inspect.ts";
import { EventRow, type RawEvent } from "../../output/rows/event-row.ts";
import { renderWith } from "../../output/template-rows.ts";
import { localNanoTime } from "../../output/text.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    filter: filters(),
    format: { ...objectFormat(), short: "" } as ReturnType<typeof objectFormat>,
    since: string("since", "Show what happened since a time"),
    until: string("until", "End at a time"),
  },
  async run({ session, flags }) {
    const source = flags.format === "json" ? "{{json .}}" : unescapeFormat(flags.format);
    const template = source ? checkedTemplate(source) : undefined;
    const response = await session.client.request("GET", "/events", {
      query: {
        filters: filterQuery(flags.filter),
        since: moment(flags.since, ""),
        until: moment(flags.until, ""),
      },
    });
    for await (const line of lines(response.body)) {
      const event = parseExact(line) as RawEvent;
      session.out(template ? renderWith(template, new EventRow(event, line)) : plain(event));
    }
    return 0;
  },
});

/** Parsed, and tried on an event of nothing: a bad one fails before there is any event. */
function checkedTemplate(source: string): Template {
  try {
    const template = Template.parse(source);
    template.render(new EventRow({ Type: "", Action: "", Actor: { ID: "", Attributes: null } }, "{}"));
    return template;
  } catch (error) {
    throw new CliError(`Error parsing format: ${(error as Error).message}`, 64);
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const parts = text.split("\n");
    text = parts.pop() ?? "";
    for (const part of parts) if (part.trim()) yield part.trim();
  }
  if (text.trim()) yield text.trim();
}

function plain(event: RawEvent): string {
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const end = attributes.length > 0 ? ` (${attributes.join(", ")})` : "";
  return `${localNanoTime(event)} ${event.Type} ${event.Action} ${event.Actor.ID}${end}`;
}
