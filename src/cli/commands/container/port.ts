import { inspect } from "../../../client/containers.ts";
import { compareNaturally } from "../../../lib/text/natural-order.ts";
import { between, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  arity: between(1, 2),
  flags: {},
  async run({ session, args }) {
    const [name = "", wanted] = args;
    const ports = (await inspect(session.client, name)).NetworkSettings.Ports ?? {};
    const show = ({ HostIp, HostPort }: { HostIp: string; HostPort: string }): string =>
      `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
    if (!wanted) {
      const lines = Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map((binding) => `${port} -> ${show(binding)}`),
      );
      for (const line of lines.sort(compareNaturally)) session.out(line);
      return 0;
    }
    const [number = "", protocol] = wanted.split("/");
    checkPort(number);
    const bindings = ports[`${Number(number)}/${protocol || "tcp"}`];
    if (!bindings || bindings.length === 0)
      throw new CliError(`Error: No public port '${wanted}' published for ${name}`);
    for (const line of bindings.map(show).sort(compareNaturally)) session.out(line);
    return 0;
  },
});

function checkPort(text: string): void {
  const problem = !/^\d+$/.test(text)
    ? "invalid syntax"
    : Number(text) > 65535
      ? "value out of range"
      : undefined;
  if (problem)
    throw new CliError(
      `Error: invalid port (${text}): strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`,
    );
}
