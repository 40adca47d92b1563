import type { LocalBuildCredentials } from "../../types/local-build.ts";
import type { Session } from "../session.ts";

const hubKey = "https://index.docker.io/v1/";

/** All credentials of the configuration, by registry host; the hub is `docker.io`. */
export function allCredentials(session: Session): Record<string, LocalBuildCredentials> {
  const found: Record<string, LocalBuildCredentials> = {};
  for (const [server, entry] of Object.entries(session.config.auths ?? {})) {
    const plain = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
    const colon = plain.indexOf(":");
    const host = server === hubKey ? "docker.io" : server.replace(/^https?:\/\//, "").split("/", 1)[0];
    if (host === undefined || host === "") continue;
    found[host] = {
      ...(colon > 0
        ? { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") }
        : {}),
      ...(entry.identitytoken ? { identityToken: entry.identitytoken } : {}),
      ...(entry.registrytoken ? { registryToken: entry.registrytoken } : {}),
    };
  }
  return found;
}
