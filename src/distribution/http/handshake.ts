import { connect } from "node:tls";
import type { TlsFiles } from "./certificates.ts";

/** A server's alert comes within a round trip of the handshake's end; who says nothing by then has none. */
const waitMs = 2000;

/**
 * Why a server ends the TLS handshake: Bun's `fetch` tells one code for all reasons, so it is asked once more, for the alert
 * alone. Undefined where it speaks no TLS, or does not tell.
 */
export function handshakeAlert(url: URL, files: TlsFiles): Promise<string | undefined> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false, ...files });
    const end = (sentence: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sentence);
    };
    const timer = setTimeout(() => end(undefined), waitMs);
    socket.on("error", (error: NodeJS.ErrnoException) => end(alertOf(error.code ?? "")));
    socket.on("close", () => end(undefined));
  });
}

/** "ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED" as Go says it: "remote error: tls: certificate required". */
export function alertOf(code: string): string | undefined {
  const alert = /^ERR_SSL_(?:TLSV1|SSLV3)_ALERT_([A-Z_]+)$/.exec(code)?.[1];
  if (alert === undefined) return undefined;
  return `remote error: tls: ${alert.toLowerCase().replaceAll("_", " ")}`;
}
