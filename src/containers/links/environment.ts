import type { ContainerConfig } from "../../types/api.ts";
import { exposedPorts } from "../networks/request.ts";

/** What a link's variables are made of. */
interface LinkFacts {
  /** the container that links */
  holder: string;
  alias: string;
  /** the linked container's address */
  address: string;
  config: Pick<ContainerConfig, "Env" | "ExposedPorts">;
}

interface Port {
  port: number;
  protocol: string;
}

/** variables every process has: they tell nothing of the other container */
const common = new Set(["HOME", "PATH"]);

/**
 * The variables that tell a process where a linked container is: `DB_PORT`, `DB_PORT_5432_TCP…` for each exposed port
 * (a run of neighbours also with its start and end), `DB_NAME`, and the other's own as `DB_ENV_…`.
 */
export function linkVariables({ holder, alias, address, config }: LinkFacts): string[] {
  const prefix = alias.toUpperCase().replaceAll("-", "_");
  const ports = exposedPorts(config as ContainerConfig).sort(
    (a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1),
  );
  const url = ({ port, protocol }: Port): string => `${protocol}://${address}:${port}`;
  const first = ports.find(({ protocol }) => protocol === "tcp") ?? ports[0];
  const variables = first ? [`${prefix}_PORT=${url(first)}`] : [];
  for (const run of runs(ports)) {
    const [start, end] = [run[0], run.at(-1)];
    if (start && end && start !== end) {
      const name = portName(prefix, start);
      variables.push(`${name}_START=${url(start)}`, `${name}_PORT_START=${start.port}`);
      variables.push(`${name}_END=${url(end)}`, `${name}_PORT_END=${end.port}`);
    }
    for (const port of run) {
      const name = portName(prefix, port);
      variables.push(`${name}=${url(port)}`, `${name}_ADDR=${address}`);
      variables.push(`${name}_PORT=${port.port}`, `${name}_PROTO=${port.protocol}`);
    }
  }
  variables.push(`${prefix}_NAME=/${holder}/${alias}`);
  for (const assignment of config.Env ?? []) {
    const at = assignment.indexOf("=");
    if (at > 0 && !common.has(assignment.slice(0, at))) variables.push(`${prefix}_ENV_${assignment}`);
  }
  return variables;
}

const portName = (prefix: string, { port, protocol }: Port): string =>
  `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;

/** Ports of one protocol whose numbers follow each other, together. */
function runs<T extends Port>(ports: readonly T[]): T[][] {
  const found: T[][] = [];
  for (const port of ports) {
    const run = found.find((one) => {
      const last = one.at(-1);
      return last?.protocol === port.protocol && last.port + 1 === port.port;
    });
    if (run) run.push(port);
    else found.push([port]);
  }
  return found;
}
