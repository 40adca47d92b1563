import { parseDetachKeys } from "../../lib/container/detach-keys.ts";
import type { ExecInspect } from "../../types/api.ts";
import type { Exec } from "./exec.ts";

/** `GET /exec/{id}/json` */
export function inspectExec(exec: Exec): ExecInspect {
  const { request } = exec;
  const [entrypoint, ...args] = request.command;
  return {
    ID: exec.id,
    Running: exec.status === "running",
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: request.Tty,
      entrypoint,
      arguments: args,
      privileged: request.Privileged,
      ...(request.user === "" ? {} : { user: request.user }),
    },
    OpenStdin: request.AttachStdin,
    OpenStderr: request.AttachStderr,
    OpenStdout: request.AttachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    // the bytes they come to, as Docker prints bytes
    DetachKeys:
      request.detachKeys === "" ? "" : Buffer.from(parseDetachKeys(request.detachKeys)).toString("base64"),
    Pid: exec.pid,
  };
}
