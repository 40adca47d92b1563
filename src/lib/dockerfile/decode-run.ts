import { EngineError } from "../errors.ts";
import type { ParsedInstruction } from "./ast.ts";
import { Flags } from "./flags.ts";
import type { CommandLine, NetworkMode, Run } from "./instruction.ts";
import { mountFields } from "./run-mount.ts";

/** RUN and its flags. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

const flagKinds = { mount: "texts", network: "text", security: "text", device: "texts" } as const;

export function decodeRun(source: ParsedInstruction, command: CommandLine): Run {
  const flags = new Flags(source.flags, flagKinds);
  const mounts = flags.texts("mount");
  for (const mount of mounts) refuseVariableFrom(mount);
  const network = flags.texts("network")[0] ?? "default";
  if (!isNetwork(network)) throw invalid(`invalid network mode ${JSON.stringify(network)}`);
  const security = flags.texts("security")[0] ?? "sandbox";
  if (security !== "sandbox" && security !== "insecure")
    throw invalid(`security ${JSON.stringify(security)} is not valid`);
  return { kind: "run", source, command, mounts, network, security, devices: flags.texts("device") };
}

const isNetwork = (mode: string): mode is NetworkMode =>
  mode === "default" || mode === "none" || mode === "host";

function refuseVariableFrom(mount: string): void {
  for (const { key, value } of mountFields(mount)) {
    const dollar = value?.indexOf("$") ?? -1;
    if (key === "from" && dollar >= 0 && dollar !== (value?.length ?? 0) - 1)
      throw invalid("'from' doesn't support variable expansion, define alias stage instead");
  }
}
