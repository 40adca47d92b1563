import { newestApiVersion } from "../../client/client.ts";
import { type Version, version } from "../../client/system.ts";
import type { Template } from "../../lib/go-template/template.ts";
import { defineCommand, none } from "../command.ts";
import { CliError } from "../errors.ts";
import { objectFormat } from "../flags/common.ts";
import { alignTabs } from "../output/tabwriter.ts";
import { clientVersion } from "../program.ts";
import type { Session } from "../session.ts";

const architectures: Record<string, string> = { x64: "amd64" };

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { format: objectFormat() },
  async run({ session, flags }) {
    const template = flags.format && flags.format !== "json" ? await parse(flags.format) : undefined;
    const [server, problem] = await ask(session);
    const client = clientSide(session);
    if (flags.format === "json") session.out(JSON.stringify({ Client: client, Server: server ?? null }));
    else if (template) session.out(await render(template, client, server));
    else session.write(layout(client, server));
    if (problem) throw problem;
    return 0;
  },
});

async function parse(format: string): Promise<Template> {
  const { Template } = await import("../../lib/go-template/template.ts");
  try {
    return Template.parse(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`, 64);
  }
}

async function ask(session: Session): Promise<[Version | undefined, unknown]> {
  try {
    return [await version(session.client), undefined];
  } catch (error) {
    return [undefined, error];
  }
}

interface ClientVersion {
  Platform?: { Name: string };
  Version: string;
  ApiVersion: string;
  DefaultAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  BuildTime: string;
  Context: string;
}

function clientSide(session: Session): ClientVersion {
  return {
    Version: clientVersion,
    ApiVersion: session.client.apiVersion,
    DefaultAPIVersion: newestApiVersion,
    GitCommit: "",
    GoVersion: `bun${Bun.version}`,
    Os: process.platform,
    Arch: architectures[process.arch] ?? process.arch,
    BuildTime: "",
    Context: session.endpoint.context,
  };
}

/** The engine of templates is loaded only where one is given: the command's start is what is measured most. */
async function render(
  template: Template,
  client: ClientVersion,
  server: Version | undefined,
): Promise<string> {
  const { jsonStruct } = await import("../output/json-struct.ts");
  const data = {
    Client: { ...client, APIVersion: client.ApiVersion },
    Server: server ? { ...server, APIVersion: server.ApiVersion } : null,
  };
  const view = jsonStruct("command.versionInfo", data);
  try {
    return template.render(view);
  } catch (error) {
    throw new CliError(`failed to execute template: ${(error as Error).message}`);
  }
}

function layout(client: ClientVersion, server: Version | undefined): string {
  const api =
    client.ApiVersion === client.DefaultAPIVersion
      ? client.ApiVersion
      : `${client.ApiVersion} (downgraded from ${client.DefaultAPIVersion})`;
  const lines = [
    "Client:",
    ` Version:\t${client.Version}`,
    ` API version:\t${api}`,
    ` Go version:\t${client.GoVersion}`,
    ` OS/Arch:\t${client.Os}/${client.Arch}`,
    ` Context:\t${client.Context}`,
  ];
  if (server)
    lines.push(
      "",
      server.Platform?.Name ? `Server: ${server.Platform.Name}` : "Server:",
      ...(server.Components ?? []).flatMap(component),
    );
  return `${alignTabs(lines.join("\n"), 20, 1)}\n`;
}

function component({ Name, Version, Details = {} }: NonNullable<Version["Components"]>[number]): string[] {
  const lines = [` ${Name}:`, `  Version:\t${Version}`];
  if (Name === "Engine") {
    const min = Details["MinAPIVersion"] ? ` (minimum version ${Details["MinAPIVersion"]})` : "";
    return [
      ...lines,
      `  API version:\t${Details["ApiVersion"] ?? ""}${min}`,
      `  Go version:\t${Details["GoVersion"] ?? ""}`,
      `  Git commit:\t${Details["GitCommit"] ?? ""}`,
      `  Built:\t${reformat(Details["BuildTime"] ?? "")}`,
      `  OS/Arch:\t${Details["Os"] ?? ""}/${Details["Arch"] ?? ""}`,
      `  Experimental:\t${Details["Experimental"] ?? "false"}`,
    ];
  }
  return [...lines, ...Object.entries(Details).map(([name, value]) => `  ${name}:\t${value}`)];
}

/** An RFC 3339 time as ctime writes it; anything else stays. */
function reformat(time: string): string {
  const date = new Date(time);
  if (!/^\d{4}-/.test(time) || Number.isNaN(date.getTime())) return time;
  const [day, month, dayOfMonth, year, clock] = date
    .toUTCString()
    .replace(",", "")
    .split(" ")
    .map((part, index, all) => (index === 1 ? (all[2] ?? "") : index === 2 ? (all[1] ?? "") : part));
  return `${day} ${month} ${String(Number(dayOfMonth)).padStart(2)} ${clock} ${year}`;
}
