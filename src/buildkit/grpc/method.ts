import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Decoded, Encodable, Fields, Message } from "../../lib/protobuf/schema.ts";
import type { Metadata } from "./metadata.ts";
import { codes, GrpcError } from "./status.ts";

/** What a handler is told of its call. */
export interface CallContext {
  metadata: Metadata;
  /** aborts when the client gives the call up or is gone */
  signal: AbortSignal;
}

/** A method as the server runs it: messages in, messages out. */
export type Method = (messages: AsyncIterable<Uint8Array>, context: CallContext) => AsyncIterable<Uint8Array>;

/** "/package.Service/Name" → method */
export type Methods = ReadonlyMap<string, Method>;

/** One request, one response. */
export function unary<In extends Fields, Out extends Fields>(
  request: Message<In>,
  response: Message<Out>,
  handle: (request: Decoded<Message<In>>, context: CallContext) => Promise<Encodable<Message<Out>>>,
): Method {
  return async function* (messages, context) {
    yield encode(response, await handle(decode(request, await only(messages)), context));
  };
}

/** One request, any number of responses. */
export function serverStream<In extends Fields, Out extends Fields>(
  request: Message<In>,
  response: Message<Out>,
  handle: (request: Decoded<Message<In>>, context: CallContext) => AsyncIterable<Encodable<Message<Out>>>,
): Method {
  return async function* (messages, context) {
    for await (const value of handle(decode(request, await only(messages)), context))
      yield encode(response, value);
  };
}

/** The one message, once the client has ended its side. */
async function only(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let request: Uint8Array | undefined;
  for await (const message of messages) {
    if (request) throw new GrpcError(codes.internal, "grpc: the call has more than one request");
    request = message;
  }
  if (!request) throw new GrpcError(codes.internal, "grpc: the call has no request");
  return request;
}
