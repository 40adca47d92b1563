import { Template } from "../../../lib/go/template/template.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { objectFormat } from "../../flags/common.ts";
import { jsonStruct } from "../../output/json-struct.ts";
import { layoutInfo, type SystemInfo } from "../../output/rows/info-layout.ts";
import { describePlugins } from "../../plugins/describe.ts";
import { clientVersion } from "../../program.ts";
import type { Session } from "../../session.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { format: objectFormat() },
  async run({ session, flags }) {
    const template = flags.format && flags.format !== "json" ? parse(flags.format) : undefined;
    const { plugins, invalid } = await describePlugins(session);
    let info: SystemInfo | undefined;
    let problem: unknown;
    try {
      info = await session.client.json<SystemInfo>("GET", "/info");
    } catch (error) {
      problem = error;
    }
    const client = {
      Debug: session.globals.debug,
      Version: clientVersion,
      Context: session.endpoint.context,
      Plugins: plugins,
      Warnings: null,
    };
    const errors = problem ? [(problem as Error).message] : [];
    const whole = { ...info, ...(errors.length > 0 ? { ServerErrors: errors } : {}), ClientInfo: client };
    if (flags.format === "json") session.out(JSON.stringify(whole));
    else if (template) session.out(render(session, template, whole, problem));
    else {
      const { text, warnings } = layoutInfo(client, info);
      session.write(text);
      for (const warning of [...warnings, ...invalid]) session.err(warning);
    }
    if (problem) throw problem;
    return 0;
  },
});

/** Docker ends the line that it began before it tells what is wrong, first of all that no engine answered. */
function render(session: Session, template: Template, whole: object, problem: unknown): string {
  try {
    return template.render(jsonStruct("system.dockerInfo", whole));
  } catch (error) {
    session.out("");
    throw problem ?? error;
  }
}

function parse(format: string): Template {
  try {
    return Template.parse(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`, 64);
  }
}
