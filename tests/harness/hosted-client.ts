/** The protocol of hosted commands (src/lib/wire/hosted-command.ts), spoken by a test. */
import { connect, type Socket } from "node:net";
import {
  commandProtocol,
  encodeCommand,
  exitFrame,
  type HostedCommand,
  ownProcessFrame,
} from "../../src/lib/wire/hosted-command.ts";
import { Demultiplexer } from "../../src/lib/wire/multiplex.ts";

export interface HostedAnswer {
  /** 101 where the engine took the command */
  status: number;
  /** the answer's body, where it did not */
  said: string;
  stdout: string;
  stderr: string;
  /** undefined where no frame told it */
  code: number | undefined;
  /** the engine gave the command back after all */
  givenBack: boolean;
}

/** What a client sends besides its arguments, where a test does not say it. */
const usual: Omit<HostedCommand, "args" | "build"> = {
  folder: "/",
  terminals: [false, false, false],
  window: { rows: 0, columns: 0 },
  variables: new Map([["HOME", "/nonexistent"]]),
};

/** Sends bytes as a request's body. */
export function post(path: string, body: Uint8Array): Socket {
  const socket = connect(path);
  const length = `Content-Type: application/octet-stream\r\nContent-Length: ${body.length}`;
  socket.write(
    `POST /berth/command HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${commandProtocol}\r\n${length}\r\n\r\n`,
  );
  socket.write(body);
  return socket;
}

/** Reads the answer to its end. */
export async function answerOf(socket: Socket): Promise<HostedAnswer> {
  const parts: Uint8Array[] = [];
  for await (const part of socket) parts.push(part as Uint8Array);
  const whole = Buffer.concat(parts);
  const end = whole.indexOf("\r\n\r\n");
  const status = Number(whole.subarray(9, 12).toString());
  const rest = whole.subarray(end + 4);
  const answer: HostedAnswer = {
    status,
    said: "",
    stdout: "",
    stderr: "",
    code: undefined,
    givenBack: false,
  };
  if (status !== 101) return { ...answer, said: rest.toString() };
  const streams: Record<number, Uint8Array[]> = {};
  const frames = new Demultiplexer((stream, bytes) => {
    streams[stream] = [...(streams[stream] ?? []), bytes];
  });
  frames.push(rest);
  const text = (stream: number): string => Buffer.concat(streams[stream] ?? []).toString();
  return {
    ...answer,
    stdout: text(1),
    stderr: text(2),
    code: streams[exitFrame]?.[0]?.[0],
    // an empty frame has no payload to be seen by
    givenBack: rest.length === 8 && rest[0] === ownProcessFrame,
  };
}

/** A refused command line tells of which build the engine is. */
export async function buildOf(path: string): Promise<string> {
  const { said } = await answerOf(post(path, encodeCommand({ ...usual, build: "?", args: ["version"] })));
  const [, build] = /is of build (\S+)"/.exec(said) ?? [];
  if (build === undefined) throw new Error(`the engine does not tell its build: ${said}`);
  return build;
}

export const hosted = (
  path: string,
  build: string,
  args: readonly string[],
  situation: Partial<HostedCommand> = {},
): Promise<HostedAnswer> => answerOf(post(path, encodeCommand({ ...usual, build, args, ...situation })));
