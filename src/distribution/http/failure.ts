import { messageOf } from "../../lib/errors.ts";
import { TransportError } from "../errors.ts";

/** A failed request in the words that Docker's users know: `Get "https://x/v2/": dial tcp 10.0.0.1:443: connect: …`. */
export function transportError(method: string, url: URL, error: unknown): TransportError {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new TransportError(`${verb} "${withoutSecrets(url)}": ${failureReason(url, error)}`, error);
}

/** A URL to be told: signed parameters and passwords stay out of messages. */
function withoutSecrets(url: URL): string {
  const query = url.search === "" ? "" : "?…";
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}

const unknownAuthority = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
const sentences: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "tls: failed to verify certificate: x509: certificate is not valid for this name",
  EPROTO: "http: server gave HTTP response to HTTPS client",
  ECONNRESET: "EOF",
  ERR_STREAM_PREMATURE_CLOSE: "EOF",
  EINVAL: "invalid argument",
  ResponseHeadersTooLarge: "the answer's headers are too large",
  Malformed_HTTP_Response: "malformed HTTP response",
  InvalidHTTPResponse: "malformed HTTP response",
  InvalidContentLength: "malformed HTTP response: its Content-Length is invalid or told twice",
  TooManyRedirects: "stopped after too many redirects",
  UnsupportedRedirectProtocol: "the redirect leads to another protocol than http and https",
  RedirectURLInvalid: "the redirect's Location header is no URL",
};

/** What Bun adds for those who call it */
const hint = /(?: fetching "[^"]*")?\. For more information, pass `verbose: true`.*$/;

/** Why a request failed, in the words of Go's HTTP client. */
export function failureReason(url: URL, error: unknown): string {
  const code = String((error as { code?: unknown }).code ?? "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  if (code === "ECONNREFUSED") return `dial tcp ${url.hostname}:${port}: connect: connection refused`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "ENODATA")
    return `dial tcp: lookup ${url.hostname}: no such host`;
  if (code === "ETIMEDOUT") return `dial tcp ${url.hostname}:${port}: i/o timeout`;
  if (code === "ENETUNREACH" || code === "EHOSTUNREACH")
    return `dial tcp ${url.hostname}:${port}: connect: no route to host`;
  return sentences[code] ?? messageOf(error).replace(hint, "");
}

/** Whether TLS itself failed, so that a registry that may be insecure is worth a try without. */
export function isTlsFailure(error: unknown): boolean {
  const code = String((error as { cause?: { code?: unknown } }).cause?.code ?? "");
  return code === "EPROTO" || code === "ECONNREFUSED" || code === "ECONNRESET";
}
