import type { ContainerProcess } from "../contract.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { inBundle, type RuntimePaths } from "../paths.ts";

/** conmon's command lines, conmon(8). Pure. */
interface Common {
  conmon: string;
  runtime: OciRuntime;
  paths: RuntimePaths;
}

function common({ conmon, runtime, paths }: Common, containerId: string, uuid: string): string[] {
  return [
    conmon,
    "--api-version",
    "--sync", // one fork less; conmon makes a session of its own and outlives us all the same
    "--no-sync-log", // no fsync of the log when the process ends
    "--cid",
    containerId,
    "--cuuid",
    uuid,
    "--runtime",
    runtime.executable(),
    ...runtime.globalArguments(paths.state).flatMap((argument) => ["--runtime-arg", argument]),
  ];
}

const streams = ({
  terminal,
  stdin,
  keepStdin,
}: {
  terminal: boolean;
  stdin: boolean;
  keepStdin: boolean;
}) => [
  ...(terminal ? ["--terminal"] : []),
  ...(stdin ? ["--stdin"] : []),
  ...(keepStdin ? ["--leave-stdin-open"] : []),
];

export function createArguments(on: Common, container: ContainerProcess): string[] {
  const { id, bundle, logPath } = container;
  return [
    ...common(on, id, id),
    "--bundle",
    bundle,
    "--full-attach",
    "--container-pidfile",
    inBundle.pid(bundle),
    "--persist-dir",
    bundle,
    "--exit-dir",
    on.paths.exits,
    "--log-path",
    logPath === undefined ? "none" : `k8s-file:${logPath}`,
    ...streams({ ...container, keepStdin: keepsStdin(container) }),
  ];
}

/**
 * Whether stdin stays open when the engine's connection ends (its crash, too). Not for a process whose stdin ends
 * with its first client: half-closing the connection is conmon's only way to end it.
 */
export const keepsStdin = ({
  terminal,
  stdin,
  stdinOnce,
}: Pick<ContainerProcess, "terminal" | "stdin" | "stdinOnce">) => stdin && (terminal || stdinOnce !== true);

interface ExecArguments {
  containerId: string;
  execId: string;
  bundle: string;
  terminal: boolean;
  stdin: boolean;
  attach: boolean;
}

export function execArguments(on: Common, exec: ExecArguments): string[] {
  const { containerId, execId, bundle, terminal, stdin, attach } = exec;
  return [
    ...common(on, containerId, execId),
    // what fails once it has a terminal is said on that terminal, which conmon does not read then
    "--runtime-arg",
    `--log=${inBundle.log(bundle)}`,
    "--exec",
    "--exec-process-spec",
    inBundle.process(bundle),
    "--container-pidfile",
    inBundle.pid(bundle),
    "--log-path",
    "none",
    // a bundle makes conmon offer an attach socket and a control fifo
    ...(attach || terminal ? ["--bundle", bundle, "--full-attach"] : []),
    ...(attach ? ["--exec-attach"] : []),
    ...streams({ terminal, stdin, keepStdin: stdin && terminal }),
  ];
}
