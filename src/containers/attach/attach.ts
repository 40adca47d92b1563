import { DetachFilter, defaultDetachKeys, parseDetachKeys } from "../../lib/container/detach-keys.ts";
import { EngineError } from "../../lib/errors.ts";
import type { Attachment } from "../../runtime/contract.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import type { AttachRequest, Session } from "../contract.ts";
import { logPathIn } from "../logs/logs.ts";
import { concat, emptyStream, FutureAttachment } from "./future.ts";

export const detachFilter = (keys: string | undefined): DetachFilter =>
  new DetachFilter(parseDetachKeys(keys === undefined || keys === "" ? defaultDetachKeys : keys));

/** `POST /containers/{id}/attach`: past output if asked, then the live streams, also of a container yet to start. */
export async function attach(
  ctx: Context,
  container: Container,
  reference: string,
  request: AttachRequest,
): Promise<Session> {
  const filter = detachFilter(request.detachKeys);
  if (container.life.status === "paused")
    throw new EngineError(
      "conflict",
      `container ${reference} is paused, unpause the container before attach`,
    );
  if (container.life.status === "restarting")
    throw new EngineError(
      "conflict",
      `container ${reference} is restarting, wait until the container is running`,
    );
  const past = request.logs ? pastOutput(ctx, container, request) : undefined;
  const live = hasStream(container, request) ? await joinStreams(ctx, container, request) : undefined;
  tell(ctx, container, "attach");
  const output = past && live ? concat(past, live.output) : (past ?? live?.output ?? emptyStream());
  return session(ctx, container, { request, output, live, filter });
}

/** Without one of the three there is nothing to wait for. */
const hasStream = ({ spec }: Container, { stream, stdin, stdout, stderr }: AttachRequest): boolean =>
  stream && (stdout || stderr || (stdin && spec.config.OpenStdin));

function pastOutput(
  ctx: Context,
  container: Container,
  request: AttachRequest,
): ReadableStream<Uint8Array> | undefined {
  const path = logPathIn(ctx, container);
  if (path === undefined || container.neverStarted) return undefined;
  return ctx.runtime.logs(
    path,
    {
      stdout: request.stdout,
      stderr: request.stderr,
      follow: false,
      timestamps: false,
      terminal: container.spec.config.Tty,
    },
    Promise.resolve(),
  );
}

/** The process's streams; before there is a process, those of the one that will be started next. */
function joinStreams(ctx: Context, container: Container, request: AttachRequest): Promise<Attachment> {
  const options = { stdout: request.stdout, stderr: request.stderr };
  const begin = (): Promise<Attachment> => ctx.runtime.attach(container.id, options);
  if (container.alive) return begin();
  const future = new FutureAttachment(begin, () => container.pending.delete(future));
  container.pending.add(future);
  return Promise.resolve(future);
}

interface SessionParts {
  request: AttachRequest;
  output: ReadableStream<Uint8Array>;
  live: Attachment | undefined;
  filter: DetachFilter;
}

function session(
  ctx: Context,
  container: Container,
  { request, output, live, filter }: SessionParts,
): Session {
  const { Tty, OpenStdin, StdinOnce } = container.spec.config;
  const writes = request.stdin && OpenStdin ? live : undefined;
  const input = StdinOnce && !Tty ? writes : undefined;
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    // the client that was to be the only one to write is gone: the process must see the end of its input
    if (input)
      void input
        .closeStdin()
        .catch(() => undefined)
        .finally(() => live?.close());
    else live?.close();
  };
  return {
    terminal: Tty,
    output,
    async write(bytes) {
      if (!writes || !open) return;
      const { pass, detached } = Tty ? filter.push(bytes) : { pass: bytes, detached: false };
      if (pass.length > 0) await writes.write(pass);
      if (!detached) return;
      tell(ctx, container, "detach");
      close();
    },
    async closeStdin() {
      if (open) await input?.closeStdin();
    },
    close,
  };
}
