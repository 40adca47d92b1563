import type { Duplex } from "node:stream";
import type { Session } from "../containers/contract.ts";
import { stringifyPlain } from "../lib/wire/json.ts";

/**
 * What a handler answers: a value, not yet a byte on the wire, so that handlers are tested without a socket.
 * `send.ts` writes it to a response, or to the bare socket of a connection that asked for an upgrade.
 */
export type Reply =
  /** `bare`: without the headers that name the API and the server */
  | { kind: "json"; status: number; value: unknown; headers?: Headers; bare?: boolean }
  | { kind: "empty"; status: number; headers?: Headers; bare?: boolean }
  | { kind: "text"; status: number; text: string; contentType: string; headers?: Headers }
  /** bytes as they come; the headers go out before the first of them */
  | { kind: "stream"; status: number; contentType: string; body: ByteSource; headers?: Headers }
  /** headers at once, the JSON when it is known (`wait`) */
  | { kind: "later"; status: number; value: Promise<unknown> }
  /**
   * the connection becomes the session's; `last` gives what is sent when its output is over; `named`: with the headers
   * that name the API and the server, as Docker answers an exec and not an attach
   */
  | {
      kind: "hijack";
      contentType: string;
      session: Session;
      protocol?: string;
      last?: () => Uint8Array;
      named?: boolean;
    }
  /** the same over a WebSocket, with the key of its handshake */
  | { kind: "websocket"; key: string; session: Session }
  /** the connection changes its protocol, and is somebody else's from then on; only for requests that ask to upgrade */
  | { kind: "upgrade"; protocol: string; take: (socket: Duplex) => void }
  /** an error told on a connection that a client expects to be hijacked: plain text, then the end */
  | { kind: "rawError"; status: number; contentType: string; message: string };

export type Headers = Readonly<Record<string, string>>;

export type ByteSource = AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array>;

export const json = (value: unknown, status = 200): Reply => ({ kind: "json", status, value });
/** As Go's encoder writes it where nobody told it otherwise: `<`, `>` and `&` as escapes. */
export const htmlSafeJson = (value: unknown): Reply => ({
  kind: "text",
  status: 200,
  contentType: contentTypes.json,
  text: `${htmlSafe(stringifyPlain(value))}\n`,
});

/** JSON as Go's encoder writes it by default. */
export const htmlSafe = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, escaped);
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

export const created = (value: unknown): Reply => ({ kind: "json", status: 201, value });
export const noContent: Reply = { kind: "empty", status: 204 };
export const emptyOk: Reply = { kind: "empty", status: 200 };

export const contentTypes = {
  json: "application/json",
  text: "text/plain; charset=utf-8",
  raw: "application/vnd.docker.raw-stream",
  multiplexed: "application/vnd.docker.multiplexed-stream",
} as const;
