import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { alertOf, handshakeAlert } from "./handshake.ts";

test("an alert is told in Go's words, other failures of a handshake are none", () => {
  expect(alertOf("ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED")).toBe("remote error: tls: certificate required");
  expect(alertOf("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE")).toBe("remote error: tls: handshake failure");
  expect(alertOf("ERR_SSL_WRONG_VERSION_NUMBER")).toBeUndefined();
});

test("a server that speaks no TLS, or hangs up, tells none", async () => {
  for (const answer of ["HTTP/1.1 400 Bad Request\r\n\r\n", ""]) {
    const server = createServer((socket) => socket.end(answer)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expect(await handshakeAlert(new URL(`https://127.0.0.1:${port}`), {})).toBeUndefined();
    server.close();
  }
});
