import type { Client } from "../../client/client.ts";
import { create } from "../../client/containers.ts";
import { ApiError } from "../../client/errors.ts";
import { familiar, type Reference } from "../../lib/image/reference.ts";
import type { ContainerCreateRequest } from "../../types/api.ts";
import type { ProxyConfig } from "../config-types.ts";
import { imageReference } from "../images/image-reference.ts";
import type { Session } from "../session.ts";
import type { ContainerFlags } from "./flags.ts";
import { fileError } from "./key-value-files.ts";
import { createRequest } from "./request.ts";

/** Reads the options into a request, with the configuration's proxies; throws plain sentences. */
export function prepare(
  session: Session,
  flags: ContainerFlags,
  args: readonly string[],
  changed: (key: keyof ContainerFlags & string) => boolean,
): ContainerCreateRequest {
  if (!["", "always", "missing", "never"].includes(flags.pull))
    throw new Error(`invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`);
  const request = createRequest(flags, args, changed, session.around);
  if (flags.useApiSocket) session.around.needsProcess("--use-api-socket");
  if (flags.useApiSocket) apiSocket().mountApiSocket(session, request);
  request.Env = withProxies(session, request.Env ?? null);
  const size = flags.tty ? session.around.terminal(1) : undefined;
  if (size && request.HostConfig) request.HostConfig.ConsoleSize = [size.rows, size.columns];
  return request;
}

/** Loaded when an image is missing: what it needs (credentials, progress) would double the start of every create. */
const pull: typeof import("../images/pull.ts").pullImage = async (...request) =>
  (await import("../images/pull.ts")).pullImage(...request);

/** Loaded for those few who ask for it. */
const apiSocket = () => require("./api-socket.ts") as typeof import("./api-socket.ts");

const proxyNames: [keyof ProxyConfig, string][] = [
  ["httpProxy", "HTTP_PROXY"],
  ["httpsProxy", "HTTPS_PROXY"],
  ["noProxy", "NO_PROXY"],
  ["ftpProxy", "FTP_PROXY"],
  ["allProxy", "ALL_PROXY"],
];

function withProxies(session: Session, given: string[] | null): string[] | null {
  const { proxies } = session.config;
  const config = proxies?.[session.endpoint.url] ?? proxies?.["default"];
  if (!config) return given;
  const env = given ?? [];
  const names = new Set(env.map((variable) => variable.split("=", 1)[0]));
  const added = proxyNames.flatMap(([key, name]) =>
    config[key]
      ? [name, name.toLowerCase()].filter((each) => !names.has(each)).map((each) => `${each}=${config[key]}`)
      : [],
  );
  return env.length + added.length > 0 ? [...env, ...added] : null;
}

/** Creates the container by `client`, pulling its image first where the policy says so; answers its id. */
export async function createContainer(
  session: Session,
  client: Client,
  request: ContainerCreateRequest,
  flags: ContainerFlags,
): Promise<string> {
  warnOfLocalDns(session, flags.dns);
  if (flags.cidfile) session.around.needsProcess("--cidfile");
  if (flags.pull === "always") session.around.needsProcess("a pull");
  const idFile = openIdFile(flags.cidfile);
  try {
    const reference = imageReference(request.Image ?? "");
    if (flags.pull === "always" && reference)
      await pull(session, reference, flags.platform, flags.quiet ? undefined : 2);
    const logins = flags.useApiSocket ? await apiSocket().loginsFor(session) : undefined;
    if (logins !== undefined) apiSocket().tellConfigFolder(request);
    const { Id, Warnings } = await createOrPull(session, client, request, flags, reference);
    for (const warning of Warnings ?? []) session.err(`WARNING: ${warning}`);
    idFile?.write(Id);
    if (logins !== undefined) await apiSocket().copyLogins(session, Id, logins);
    return Id;
  } finally {
    idFile?.close();
  }
}

async function createOrPull(
  session: Session,
  client: Client,
  request: ContainerCreateRequest,
  flags: ContainerFlags,
  reference: Reference | undefined,
): ReturnType<typeof create> {
  if (flags.platform) checkPlatform(flags.platform);
  const query = { name: flags.name, platform: flags.platform };
  try {
    return await create(client, request, query);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404 && reference && flags.pull !== "never"))
      throw error;
  }
  session.around.needsProcess("a pull");
  if (!flags.quiet) session.err(`Unable to find image '${familiar(reference)}' locally`);
  await pull(session, reference, flags.platform, flags.quiet ? undefined : 2);
  return create(session.client, request, query);
}

function checkPlatform(text: string): void {
  const { platformQuery } = require("../images/image-path.ts") as typeof import("../images/image-path.ts");
  platformQuery(text, "error parsing specified platform: ");
}

function warnOfLocalDns(session: Session, servers: readonly string[]): void {
  if (servers.length === 0) return;
  const local = servers.find((server) => server.startsWith("127.") || server === "::1");
  if (local) session.err(`WARNING: Localhost DNS (${local}) may fail in containers.`);
}

interface IdFile {
  write(id: string): void;
  /** an empty file, left because nothing was created, is removed */
  close(): void;
}

function openIdFile(path: string): IdFile | undefined {
  if (!path) return undefined;
  const { closeSync, existsSync, openSync, unlinkSync, writeSync } =
    require("node:fs") as typeof import("node:fs"); // loading it costs 2 ms, for an option few use
  if (existsSync(path))
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  let fd: number;
  try {
    fd = openSync(path, "w", 0o666);
  } catch (error) {
    throw new Error(`failed to create the container ID file: ${fileError("open", path, error).message}`);
  }
  let written = false;
  return {
    write: (id) => {
      writeSync(fd, id);
      written = true;
    },
    close: () => {
      closeSync(fd);
      if (!written) unlinkSync(path);
    },
  };
}
