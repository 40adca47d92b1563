/**
 * A token server for tests (https://distribution.github.io/distribution/spec/auth/token/ and `oauth/` beside it): user
 * "me" with the password "secret", or the identity token that it gives for those, gets tokens for whatever is asked. It
 * runs as a process of its own in an engine's network namespace and writes down what it was asked, a line a request.
 */
import { createPrivateKey, sign } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestEngine } from "./engine.ts";
import { makeCertificates, tokenIssuer } from "./registry.ts";

export const identityToken = "an-identity-token";

export class TokenServer {
  readonly folder: string;
  readonly realm: string;
  private readonly process: Bun.Subprocess;

  constructor(folder: string, realm: string, child: Bun.Subprocess) {
    this.folder = folder;
    this.realm = realm;
    this.process = child;
  }

  /** Certificate of the key that signs. */
  get authority(): string {
    return join(this.folder, "ca.crt");
  }

  /** "GET password scope …" or "POST refresh_token scope …", since the last time. */
  asked(): string[] {
    const lines = readFileSync(join(this.folder, "asked"), "utf8").split("\n").filter(Boolean);
    const fresh = lines.slice(this.told);
    this.told = lines.length;
    return fresh;
  }
  private told = 0;

  async destroy(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function startTokenServer(engine: TestEngine, port: number): Promise<TokenServer> {
  const folder = await mkdtemp(join(tmpdir(), "berth-token-server-"));
  await makeCertificates(folder);
  await Bun.write(join(folder, "asked"), "");
  const child = Bun.spawn(engine.inNetwork([process.execPath, import.meta.path, String(port), folder]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const server = new TokenServer(folder, `http://127.0.0.1:${port}/token`, child);
  const { value } = await child.stdout.getReader().read();
  if (value !== undefined) return server;
  await server.destroy();
  throw new Error("the token server did not start");
}

interface Question {
  method: string;
  /** "password", "refresh_token" or "nobody" */
  by: string;
  right: boolean;
  service: string;
  scopes: string[];
  offline: boolean;
}

async function questionOf(request: Request): Promise<Question> {
  const query = new URL(request.url).searchParams;
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    return {
      method: "POST",
      by: form.get("grant_type") ?? "nobody",
      right: form.get("refresh_token") === identityToken,
      service: form.get("service") ?? "",
      scopes: (form.get("scope") ?? "").split(" ").filter(Boolean),
      offline: false,
    };
  }
  const basic = Buffer.from((request.headers.get("authorization") ?? "").slice("Basic ".length), "base64");
  return {
    method: request.method,
    by: basic.length > 0 ? "password" : "nobody",
    right: basic.toString() === "me:secret",
    service: query.get("service") ?? "",
    scopes: query.getAll("scope"),
    offline: query.get("offline_token") === "true",
  };
}

async function answer(folder: string, request: Request): Promise<Response> {
  const question = await questionOf(request);
  appendFileSync(join(folder, "asked"), `${question.method} ${question.by} ${question.scopes.join(" ")}\n`);
  if (!question.right) return new Response("{}", { status: 401 });
  const token = signed(folder, question);
  return Response.json({
    ...(question.method === "POST" ? { access_token: token } : { token }),
    expires_in: 300,
    ...(question.offline ? { refresh_token: identityToken } : {}),
  });
}

/** A JSON web token as the registry wants it: signed with ES256, its certificate in the header. */
function signed(folder: string, { service, scopes }: Question): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const certificate = readFileSync(join(folder, "ca.crt"), "utf8").replace(/-----[^-]+-----|\s/g, "");
  const access = scopes.map((scope) => {
    const [type = "", ...rest] = scope.split(":");
    return { type, name: rest.slice(0, -1).join(":"), actions: (rest.at(-1) ?? "").split(",") };
  });
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: tokenIssuer,
    sub: "me",
    aud: service,
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: `${now}`,
  };
  const text = `${encode({ typ: "JWT", alg: "ES256", x5c: [certificate] })}.${encode({ ...payload, access })}`;
  const key = createPrivateKey(readFileSync(join(folder, "ca.key")));
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

if (import.meta.main) {
  const [port = "", folder = ""] = process.argv.slice(2);
  Bun.serve({ hostname: "127.0.0.1", port: Number(port), fetch: (request) => answer(folder, request) });
  console.log("ready");
}
