import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import type { ContainerCreateRequest } from "../../types/api.ts";
import type { ConfigFile } from "../config-types.ts";
import { findLogin } from "../credentials/store.ts";
import type { Session } from "../session.ts";

/** `--use-api-socket`: the engine's socket in the container, and the logins of who started it. */
const socketTarget = "/var/run/docker.sock";
const configFolder = "/run/secrets/docker";

/** Mounts the socket that this client talks to; only a local one can be. */
export function mountApiSocket({ endpoint: { url } }: Session, request: ContainerCreateRequest): void {
  const path = /^unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (path === undefined)
    throw new Error(
      `flag --use-api-socket can only be used with unix sockets: docker endpoint ${url} incompatible`,
    );
  const mount = { Type: "bind", Source: path, Target: socketTarget, BindOptions: {} } as const;
  request.HostConfig = {
    ...request.HostConfig,
    Mounts: [...(request.HostConfig?.Mounts ?? []), mount],
  };
}

/** Every login in a configuration file for the container's client; undefined without any. Helpers' ones are read out. */
export async function loginsFor(session: Session): Promise<string | undefined> {
  const { auths = {}, credHelpers = {} } = session.config;
  const kept: NonNullable<ConfigFile["auths"]> = {};
  for (const server of new Set([...Object.keys(auths), ...Object.keys(credHelpers)])) {
    const login = await findLogin(session, server);
    if (!login) continue;
    const { username = "", password = "", identitytoken, registrytoken } = login;
    kept[server] = {
      ...(username === "" ? {} : { auth: Buffer.from(`${username}:${password}`).toString("base64") }),
      ...(identitytoken ? { identitytoken } : {}),
      ...(registrytoken ? { registrytoken } : {}),
    };
  }
  return Object.keys(kept).length > 0 ? `${JSON.stringify({ auths: kept }, null, "\t")}\n` : undefined;
}

/** The container's client looks there, unless the user sent it elsewhere. */
export function tellConfigFolder(request: ContainerCreateRequest): void {
  const env = request.Env ?? [];
  if (!env.some((variable) => variable.startsWith("DOCKER_CONFIG=")))
    request.Env = [...env, `DOCKER_CONFIG=${configFolder}`];
}

/** Into the container's own layer, readable by its root alone. */
export async function copyLogins(session: Session, container: string, text: string): Promise<void> {
  const name = `${configFolder.slice(1)}/config.json`;
  const size = Buffer.byteLength(text);
  const header = headerOf(tarEntry({ type: "file", name, mode: 0o600, size }));
  await session.client.call("PUT", `/containers/${container}/archive`, {
    query: { path: "/", noOverwriteDirNonDir: "true" },
    body: Buffer.concat([header, Buffer.from(text), padding(size), endOfArchive]),
  });
}
