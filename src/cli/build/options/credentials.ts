import type { LocalBuildCredentials } from "../../../types/local-build.ts";
import type { Login } from "../../credentials/store.ts";
import type { Session } from "../../session.ts";

const hubKey = "https://index.docker.io/v1/";

/**
 * Credentials by registry host; the hub is `docker.io`. All that the configuration itself holds, and what the helpers
 * know of `hosts`. A helper that fails counts as none, as with `pull`: much can be built without.
 */
export async function buildCredentials(
  session: Session,
  hosts: readonly string[],
): Promise<Record<string, LocalBuildCredentials>> {
  const found = configured(session);
  const { credsStore, credHelpers = {} } = session.config;
  if (!credsStore && Object.keys(credHelpers).length === 0) return found;
  const { findLogin, serverOf } = await import("../../credentials/store.ts");
  const ask = async (host: string): Promise<void> => {
    const login = await findLogin(session, serverOf(host)).catch(() => undefined);
    if (login !== undefined) found[host] = credentialsOf(login);
  };
  await Promise.all(hosts.map(ask));
  return found;
}

const credentialsOf = ({
  username,
  password,
  identitytoken,
  registrytoken,
}: Login): LocalBuildCredentials => ({
  ...(username ? { username } : {}),
  ...(password ? { password } : {}),
  ...(identitytoken ? { identityToken: identitytoken } : {}),
  ...(registrytoken ? { registryToken: registrytoken } : {}),
});

function configured(session: Session): Record<string, LocalBuildCredentials> {
  const found: Record<string, LocalBuildCredentials> = {};
  for (const [server, entry] of Object.entries(session.config.auths ?? {})) {
    const plain = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
    const colon = plain.indexOf(":");
    const host = server === hubKey ? "docker.io" : server.replace(/^https?:\/\//, "").split("/", 1)[0];
    const { identitytoken, registrytoken } = entry;
    // a login that a helper keeps leaves an empty entry
    if (!host || (colon <= 0 && !identitytoken && !registrytoken)) continue;
    const password = plain.slice(colon + 1).replace(/\0+$/, "");
    const named = colon > 0 ? { username: plain.slice(0, colon), password } : {};
    found[host] = credentialsOf({
      ...named,
      ...(identitytoken ? { identitytoken } : {}),
      ...(registrytoken ? { registrytoken } : {}),
    });
  }
  return found;
}
