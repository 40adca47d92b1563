import type { Session } from "../../../containers/contract.ts";
import { EngineError, messageOf } from "../../../lib/errors.ts";
import {
  execProtocol,
  exitStream,
  frame,
  headSize,
  stdoutStream,
  writeHead,
} from "../../../lib/wire/multiplex.ts";
import type { ExecCreateRequest } from "../../../types/api.ts";
import type { Call } from "../../call.ts";
import { upgradeConsoleSize } from "../../compat/containers.ts";
import { hijackContentType } from "../../compat/streams.ts";
import { execCreate, execStart } from "../../decode/bodies.ts";
import { consoleSize } from "../../decode/query.ts";
import { created, emptyOk, json, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

/** Creates an exec; where our own client asks for that, it starts at once on the same connection. */
const create: Handler = async (call) => {
  const body = await call.json<ExecCreateRequest>(execCreate);
  if (!body.Cmd || body.Cmd.length === 0) throw new EngineError("invalid", "No exec command specified");
  const { exec } = call.engine.containers;
  const made = await exec.create(call.param("id"), upgradeConsoleSize(body, call.minor));
  if (call.headers.upgrade !== execProtocol || body.Tty) return created(made);
  const reply = await begin(call, made.Id, { detach: false, tty: false });
  if (reply.kind !== "hijack") return reply;
  const { exitCode } = reply.session;
  return { ...reply, protocol: execProtocol, last: () => exitHead(exitCode?.() ?? neverRan) };
};

/** Docker's code of an exec that could not be started */
const neverRan = 126;

function exitHead(exitCode: number): Uint8Array {
  const head = new Uint8Array(headSize);
  writeHead(head, 0, exitStream, exitCode);
  return head;
}

interface StartBody {
  Detach?: boolean;
  Tty?: boolean;
  ConsoleSize?: [number, number] | null;
}

interface StartOptions {
  detach: boolean;
  tty: boolean;
  consoleSize?: [number, number] | null;
}

/**
 * What keeps an exec from being started is an error; what fails in the starting is told on the stream, as its output,
 * because Docker has taken the connection over by then.
 */
const start: Handler = async (call): Promise<Reply> => {
  const body = upgradeConsoleSize(await call.json<StartBody>(execStart), call.minor);
  const { Detach: detach = false, Tty: tty = false, ConsoleSize: consoleSize = null } = body;
  return begin(call, call.param("id"), { detach, tty, consoleSize });
};

async function begin(call: Call, id: string, options: StartOptions): Promise<Reply> {
  try {
    const session = await call.engine.containers.exec.start(id, options);
    if (!session) return emptyOk;
    return {
      kind: "hijack",
      contentType: hijackContentType(call.minor, session.terminal, call.upgrades),
      session,
      named: true,
    };
  } catch (error) {
    if (options.detach || (error instanceof EngineError && ["notFound", "conflict"].includes(error.kind)))
      throw error;
    const session = sayOnly(`${messageOf(error)}\r\n`, options.tty);
    return {
      kind: "hijack",
      contentType: hijackContentType(call.minor, options.tty, call.upgrades),
      session,
      named: true,
    };
  }
}

/** A session that says one thing and ends. */
function sayOnly(text: string, terminal: boolean): Session {
  const bytes = Buffer.from(text);
  const output = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(terminal ? bytes : frame(stdoutStream, bytes));
      controller.close();
    },
  });
  const nothing = async (): Promise<void> => undefined;
  return { terminal, output, write: nothing, closeStdin: nothing, close: () => undefined };
}

const inspect: Handler = (call) => json(call.engine.containers.exec.inspect(call.param("id")));

const resize: Handler = async (call) => {
  await call.engine.containers.exec.resize(call.param("id"), consoleSize(call.query));
  return emptyOk;
};

export const execRoutes: readonly Route[] = [
  { method: "POST", pattern: "/containers/{id}/exec", handler: create },
  { method: "POST", pattern: "/exec/{id}/start", handler: start },
  { method: "POST", pattern: "/exec/{id}/resize", handler: resize },
  { method: "GET", pattern: "/exec/{id}/json", handler: inspect },
];
