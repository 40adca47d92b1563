import { detailOf, EngineError, type ErrorKind, messageOf } from "../lib/errors.ts";

/** The one place where a kind of error becomes an HTTP status. */
const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  tooLarge: 413,
  notImplemented: 501,
  unavailable: 503,
  internal: 500,
};

export const statusOf = (error: unknown): number =>
  error instanceof EngineError ? statuses[error.kind] : statuses.internal;

/** What a client is told; for `notModified` nothing. */
export function errorBody(error: unknown): { message: string; detail?: string } {
  const detail = detailOf(error);
  return { message: messageOf(error), ...(detail === "" ? {} : { detail }) };
}

export const pageNotFound = (): EngineError => new EngineError("notFound", "page not found");

/** What is known but not built yet names itself. */
export const notBuilt = (method: string, route: string): EngineError =>
  new EngineError("notImplemented", `${method} ${route} is not built yet in berth`);
