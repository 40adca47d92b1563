import { afterAll, expect, test } from "bun:test";
import { parseReference } from "../../lib/image/reference.ts";
import { openDistribution } from "../open.ts";

const options = {
  mirrors: {},
  insecureRegistries: [],
  certificateFolders: [],
  proxies: { http: "", https: "", exceptions: "" },
  userAgent: "test",
  stallMs: 5000,
};

const servers: { stop(): unknown }[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

/** A server that asks for a password, and keeps whatever it is told. */
function thief() {
  const heard: string[] = [];
  const host: string = serve(async (request) => {
    heard.push(`${request.headers.get("authorization") ?? ""}${await request.text()}`);
    if (new URL(request.url).pathname === "/token") return Response.json({ token: "t" });
    return new Response("", {
      status: 401,
      headers: { "WWW-Authenticate": `Bearer realm="http://${host}/token",service="s"` },
    });
  });
  return { host, heard };
}

const digest = `sha256:${"a".repeat(64)}`;

const ask = (host: string, credentials: { username: string; password: string } | { identityToken: string }) =>
  openDistribution(options)
    .target(parseReference(`${host}/name`), { credentials, signal: AbortSignal.timeout(5000) })
    .blob(digest, 0);

test("where a registry redirects a blob to is not given its password", async () => {
  const { host: elsewhere, heard } = thief();
  const registry = serve((request) =>
    request.url.endsWith("/v2/")
      ? new Response("{}")
      : new Response("", { status: 307, headers: { Location: `http://${elsewhere}/blob` } }),
  );
  await expect(ask(registry, { username: "me", password: "secret" })).rejects.toThrow();
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.join("")).toBe("");
});

test("nor is another host that a registry as a whole leads to", async () => {
  const { host: elsewhere, heard } = thief();
  const other = elsewhere.replace("127.0.0.1", "localhost");
  const registry = serve((request) =>
    Response.redirect(`http://${other}${new URL(request.url).pathname}`, 307),
  );
  await expect(ask(registry, { username: "me", password: "secret" })).rejects.toThrow();
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.join("")).not.toContain("Basic");
});

test("an identity token does not follow a token server's redirect", async () => {
  const { host: elsewhere, heard } = thief();
  const registry: string = serve((request) =>
    new URL(request.url).pathname === "/token"
      ? Response.redirect(`http://${elsewhere}/token`, 307)
      : new Response("", {
          status: 401,
          headers: { "WWW-Authenticate": `Bearer realm="http://${registry}/token",service="s"` },
        }),
  );
  await expect(ask(registry, { identityToken: "secret" })).rejects.toThrow();
  expect(heard.join("")).not.toContain("secret");
});
