import { type Client, newestApiVersion } from "../../client/client.ts";
import { type Version, version } from "../../client/system.ts";
import type { Template } from "../../lib/go/template/template.ts";
import { defineCommand, none } from "../command.ts";
import { CliError } from "../errors.ts";
import { objectFormat } from "../flags/common.ts";
import { alignTabs } from "../output/tabwriter.ts";
import { clientVersion } from "../program.ts";
import type { Session } from "../session.ts";

const architectures: Record<string, string> = { x64: "amd64" };

export const command = defineCommand({
  hosted: true,
  usage: "",
  arity: none,
  flags: { format: objectFormat() },
  async run({ session, flags }) {
    if (flags.format) session.around.needsProcess("--format");
    const template = flags.format && flags.format !== "json" ? await parse(flags.format) : undefined;
    const engine = session.blockingClient;
    const [server, problem] = await ask(engine);
    const client = clientSide(session, engine);
    if (flags.format === "json") session.out(JSON.stringify({ Client: client, Server: server ?? null }));
    else if (template) session.out(await render(session, template, client, server));
    else session.write(layout(client, server));
    if (problem) throw problem;
    return 0;
  },
});

async function parse(format: string): Promise<Template> {
  const { Template } = await import("../../lib/go/template/template.ts");
  try {
    return Template.parse(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"), { name: "version" });
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`, 64);
  }
}

async function ask(engine: Client): Promise<[Version | undefined, unknown]> {
  try {
    return [await version(engine), undefined];
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

function clientSide(session: Session, engine: Client): ClientVersion {
  return {
    Version: clientVersion,
    ApiVersion: engine.apiVersion,
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
  session: Session,
  template: Template,
  client: ClientVersion,
  server: Version | undefined,
): Promise<string> {
  const { jsonStruct } = await import("../output/json-struct.ts");
  const data = {
    Client: { ...client, APIVersion: client.ApiVersion },
    Server: server ? { ...server, APIVersion: server.ApiVersion } : null,
  };
  const view = jsonStruct("system.versionInfo", data);
  try {
    return template.render(view);
  } catch (error) {
    session.out(""); // docker ends the line that it began
    throw error;
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
  if (server) lines.push("", server.Platform?.Name ? `Server: ${server.Platform.Name}` : "Server:");
  for (const part of server?.Components ?? []) lines.push(...component(part));
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
  for (const name in Details) lines.push(`  ${name}:\t${Details[name]}`);
  return lines;
}

/** An RFC 3339 time as ctime writes it; anything else stays. */
function reformat(time: string): string {
  const date = new Date(time);
  if (time[4] !== "-" || Number.isNaN(date.getTime())) return time;
  const [weekday = "", day, month, year, clock] = date.toUTCString().split(" "); // Sun, 22 Nov 2026 14:45:00 GMT
  return `${weekday.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}
