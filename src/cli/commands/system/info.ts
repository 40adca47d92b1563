import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { objectFormat } from "../../flags/common.ts";
import { layoutInfo, type SystemInfo } from "../../output/info-layout.ts";
import { jsonStruct } from "../../output/json-struct.ts";
import { parseTemplate } from "../../output/template-rows.ts";
import { describePlugins } from "../../plugins/describe.ts";
import { clientVersion } from "../../program.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { format: objectFormat() },
  async run({ session, flags }) {
    const template = flags.format && flags.format !== "json" ? parseTemplate(flags.format) : undefined;
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
    else if (template) session.out(render(template, whole));
    else {
      const { text, warnings } = layoutInfo(client, info, errors);
      session.write(text);
      for (const warning of [...warnings, ...invalid]) session.err(warning);
    }
    if (problem)
      throw new CliError(flags.format ? (problem as Error).message : "errors pretty printing info");
    return 0;
  },
});

function render(template: ReturnType<typeof parseTemplate>, whole: object): string {
  try {
    return template.render(jsonStruct("system.dockerInfo", whole));
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`);
  }
}
