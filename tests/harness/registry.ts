/**
 * A registry for tests: Debian's `docker-registry` in an engine's network namespace, with a folder of its own.
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, type TestEngine } from "./engine.ts";
import { RegistryProcess } from "./registry-process.ts";

export interface RegistryOptions {
  port: number;
  /** 127.0.0.1 where absent */
  address?: string;
  /** user and password that are asked for */
  login?: { user: string; password: string };
  /** serve TLS by a certificate of an authority made for it */
  tls?: boolean;
  /** with `tls`: let nobody in without a client's certificate of that authority (`client.cert`, `client.key`) */
  clientCertificates?: boolean;
  /** take tokens of the server there, signed by the authority's key; see `token-server.ts` */
  tokensFrom?: { realm: string; authority: string };
  /** be a mirror of another registry */
  mirrorOf?: string;
}

export class TestRegistry extends RegistryProcess {
  /** Lines of its access log, which tell the status and the bytes of each answer. */
  async accesses(): Promise<string[]> {
    return (await Bun.file(join(this.folder, "accesses")).text()).split("\n");
  }

  /** The authority's certificate. */
  get authority(): string {
    return join(this.folder, "ca.crt");
  }
}

export async function startRegistry(engine: TestEngine, options: RegistryOptions): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "berth-registry-"));
  const address = `${options.address ?? "127.0.0.1"}:${options.port}`;
  await mkdir(join(folder, "data"));
  if (options.tls) await makeCertificates(folder);
  if (options.login) {
    const hash = await Bun.password.hash(options.login.password, { algorithm: "bcrypt", cost: 4 });
    await writeFile(join(folder, "htpasswd"), `${options.login.user}:${hash.replace(/^\$2b\$/, "$2y$")}\n`);
  }
  await writeFile(join(folder, "config.yml"), configuration(folder, address, options));
  const child = Bun.spawn(engine.inNetwork(["docker-registry", "serve", join(folder, "config.yml")]), {
    stdin: "ignore",
    stdout: Bun.file(join(folder, "accesses")),
    stderr: Bun.file(join(folder, "log")),
  });
  const registry = new TestRegistry(folder, address, child);
  const url = `${options.tls ? "https" : "http"}://${address}/v2/`;
  const client = options.clientCertificates
    ? ["--cert", join(folder, "client.cert"), "--key", join(folder, "client.key")]
    : [];
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const { code } = await run(engine.inNetwork(["curl", "-sk", ...client, "-o", "/dev/null", url]));
    if (code === 0) return registry;
    if (child.exitCode !== null) break;
    await Bun.sleep(50);
  }
  const log = await Bun.file(join(folder, "log")).text();
  await registry.destroy();
  throw new Error(`the registry did not start: ${log}`);
}

export const tokenService = "test registry";
export const tokenIssuer = "test issuer";

function configuration(folder: string, address: string, options: RegistryOptions): string {
  const { login, tls, clientCertificates, tokensFrom, mirrorOf } = options;
  const clients = clientCertificates ? `, clientcas: [${folder}/ca.crt]` : "";
  const http = tls
    ? `{addr: "${address}", tls: {certificate: ${folder}/server.crt, key: ${folder}/server.key${clients}}}`
    : `{addr: "${address}"}`;
  return [
    "version: 0.1",
    "log: {level: error}",
    `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`,
    `http: ${http}`,
    ...(login ? [`auth: {htpasswd: {realm: test, path: ${folder}/htpasswd}}`] : []),
    ...(tokensFrom
      ? [
          `auth: {token: {realm: "${tokensFrom.realm}", service: ${tokenService}, issuer: ${tokenIssuer}, rootcertbundle: ${tokensFrom.authority}}}`,
        ]
      : []),
    ...(mirrorOf ? [`proxy: {remoteurl: "${mirrorOf}"}`] : []),
    "",
  ].join("\n");
}

/** An authority (`ca`), a certificate of it for this machine's addresses (`server`), and one of a client (`client`). */
export async function makeCertificates(folder: string): Promise<void> {
  const script = `
    cd "$0"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=registry
    printf 'subjectAltName=IP:127.0.0.1,IP:10.99.99.1,DNS:localhost' >ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile ext
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout client.key -out client.csr -subj /CN=client
    printf 'extendedKeyUsage=clientAuth' >ext
    openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.cert -days 2 -extfile ext
  `;
  const made = await run(["bash", "-ec", script, folder]);
  if (made.code !== 0) throw new Error(`making certificates: ${made.stderr}`);
}
