import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { ExecCreateRequest } from "../../types/api.ts";
import { detachFilter } from "../attach/attach.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { flag, integer, list, object, text, words } from "../create/decode.ts";
import { userIn } from "../start/user.ts";
import type { Exec } from "./exec.ts";

/** a container's execs that ended are forgotten beyond this many, oldest first */
const keptPerContainer = 256;

const readRequest = object<
  Required<Omit<ExecCreateRequest, "ConsoleSize">> & { ConsoleSize: number[] | null }
>(
  {
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    ConsoleSize: list(integer, "[2]uint"),
    DetachKeys: text,
    Tty: flag,
    Env: list(text),
    Cmd: words,
    Stopped: flag,
    Privileged: flag,
    User: text,
    WorkingDir: text,
  },
  "container.ExecOptions",
);

/** `POST /containers/{id}/exec` */
export function createExec(
  ctx: Context,
  container: Container,
  reference: string,
  body: ExecCreateRequest,
): { Id: string } {
  const request = readRequest(body, "");
  ctx.runtime.expectProcess();
  if (!mayVisit(container, request.Stopped)) refuseStopped(container, reference);
  const [command, ...args] = request.Cmd ?? [];
  if (command === undefined) throw new EngineError("invalid", "No exec command specified");
  checkDetachKeys(request.DetachKeys);
  if (request.User !== "" && container.alive) userIn(ctx.snapshots.rootPath(container.id), request.User, []);
  const id = newId();
  const exec: Exec = {
    id,
    containerId: container.id,
    request: {
      AttachStdin: request.AttachStdin,
      AttachStdout: request.AttachStdout,
      AttachStderr: request.AttachStderr,
      Tty: request.Tty,
      Privileged: request.Privileged,
      user: request.User,
      workingDir: request.WorkingDir,
      env: request.Env ?? [],
      command: [command, ...args],
      detachKeys: request.DetachKeys,
      consoleSize: sizeOf(request.ConsoleSize),
      stopped: request.Stopped,
    },
    status: "created",
    exitCode: null,
    pid: 0,
  };
  remember(ctx, container, exec);
  tell(ctx, container, `exec_create: ${commandLine(exec)}`, { execID: id });
  return { Id: id };
}

/** Docker's error for these has no kind here, and other words than an attach has. */
function checkDetachKeys(text: string): void {
  try {
    detachFilter(text);
  } catch (error) {
    throw new EngineError("internal", `Invalid escape keys (${text}) provided`, { cause: error });
  }
}

/** Docker's text, with its space after a command that has no arguments. */
export const commandLine = ({ request: { command } }: Exec): string =>
  `${command[0]} ${command.slice(1).join(" ")}`;

const sizeOf = (size: readonly number[] | null | undefined): [number, number] | undefined =>
  size?.[0] !== undefined && size[1] !== undefined && size[0] > 0 && size[1] > 0
    ? [size[0], size[1]]
    : undefined;

/** Whether a command may run in the container as it is, at rest, because that was asked for. */
export const mayVisit = ({ life, removing }: Container, asked: boolean): boolean =>
  asked && !removing && (life.status === "exited" || life.status === "created");

export function refuseStopped(container: Container, reference: string): void {
  if (container.life.status === "paused")
    throw new EngineError("conflict", `Container ${reference} is paused, unpause the container before exec`);
  if (container.life.status === "restarting")
    throw new EngineError(
      "conflict",
      `Container ${reference} is restarting, wait until the container is running`,
    );
  if (!container.alive) throw new EngineError("conflict", `container ${container.id} is not running`);
}

/** Execs that were never started go with the life they were made in. */
export function forgetUnstarted(ctx: Context, container: Container): void {
  for (const id of container.execs) {
    if (ctx.execs.get(id)?.status !== "created") continue;
    container.execs.delete(id);
    ctx.execs.delete(id);
  }
}

function remember(ctx: Context, container: Container, exec: Exec): void {
  ctx.execs.set(exec.id, exec);
  container.execs.add(exec.id);
  if (container.execs.size <= keptPerContainer) return;
  for (const id of container.execs) {
    if (ctx.execs.get(id)?.status === "running") continue;
    container.execs.delete(id);
    ctx.execs.delete(id);
    return;
  }
}
