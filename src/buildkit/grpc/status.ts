import { EngineError, messageOf } from "../../lib/errors.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import { bytes, int32, listOf, message, string } from "../../lib/protobuf/schema.ts";

/** The status codes of gRPC that are used here (https://grpc.io/docs/guides/status-codes/). */
export const codes = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** `google.protobuf.Any`; BuildKit's details are JSON, which the type's name says. */
const any = message({ typeUrl: [1, string], value: [2, bytes] });
/** `google.rpc.Status` */
export const rpcStatus = message({ code: [1, int32], message: [2, string], details: [3, listOf(any)] });

export interface StatusDetail {
  typeUrl: string;
  value: Uint8Array;
}

/** The end of a call that did not succeed, as the other side told it or as it will be told. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  readonly details: readonly StatusDetail[];

  constructor(code: number, text: string, details: readonly StatusDetail[] = []) {
    super(text);
    this.code = code;
    this.details = details;
  }
}

const names = new Map<number, string>([
  [codes.canceled, "Canceled"],
  [codes.unknown, "Unknown"],
  [codes.invalidArgument, "InvalidArgument"],
  [codes.notFound, "NotFound"],
  [codes.alreadyExists, "AlreadyExists"],
  [codes.resourceExhausted, "ResourceExhausted"],
  [codes.unimplemented, "Unimplemented"],
  [codes.internal, "Internal"],
  [codes.unavailable, "Unavailable"],
]);

/** A client's failure to give or take files, as BuildKit passes it on: in Go's words for a call that failed. */
export function asCallError(error: unknown): unknown {
  if (!(error instanceof GrpcError) || error.code === codes.canceled) return error;
  const text = `rpc error: code = ${names.get(error.code) ?? `Code(${error.code})`} desc = ${error.message}`;
  return new GrpcError(codes.unknown, text, error.details);
}

/** Failures are `unknown`: clients print the sentence of that code alone. */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  return new GrpcError(codes.unknown, messageOf(error));
}

type Trailers = Record<string, string>;

export function trailersOf(error: GrpcError | undefined): Trailers {
  if (!error) return { "grpc-status": "0" };
  const trailers: Trailers = {
    "grpc-status": String(error.code),
    "grpc-message": percentEncode(error.message),
  };
  const details = error.details.length === 0 ? "" : encode(rpcStatus, error).toBase64({ omitPadding: true });
  if (details !== "" && details.length <= detailsMax) trailers["grpc-status-details-bin"] = details;
  return trailers;
}

/** A block of headers that grows past 64 KiB is not sent at all: details that would make it do so are left out. */
const detailsMax = 32 * 1024;
const messageMax = 8000;

/** The error that trailers tell; undefined = success. */
export function errorOfTrailers(trailers: Readonly<Record<string, unknown>>): GrpcError | undefined {
  const code = trailers["grpc-status"];
  if (code === undefined) return new GrpcError(codes.internal, "the call ended without a status");
  if (Number(code) === codes.ok) return undefined;
  const text = percentDecode(String(trailers["grpc-message"] ?? ""));
  const details = trailers["grpc-status-details-bin"];
  return new GrpcError(Number(code), text, typeof details === "string" ? detailsOf(details) : []);
}

/** Details are an addition: where they cannot be read the sentence stands alone. */
function detailsOf(base64: string): StatusDetail[] {
  try {
    return decode(rpcStatus, Buffer.from(base64, "base64")).details;
  } catch (error) {
    if (error instanceof EngineError) return [];
    throw error;
  }
}

/** Every byte outside of printable ASCII, and `%`, as `%XX`. A header's value has a bound. */
const percentEncode = (text: string): string =>
  [...Buffer.from(text, "utf8").subarray(0, messageMax)]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
