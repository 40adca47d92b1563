import type { Session } from "./session.ts";

const hubKey = "https://index.docker.io/v1/";

/** The `X-Registry-Auth` header for a registry, from the `auths` of the configuration. */
export function registryAuth(session: Session, domain: string): Record<string, string> {
  const server = domain === "docker.io" ? hubKey : domain;
  const entry = session.config.auths?.[server];
  const auth: Record<string, string> = { serveraddress: server };
  if (entry?.auth) {
    const plain = Buffer.from(entry.auth, "base64").toString("utf8");
    const at = plain.indexOf(":");
    if (at > 0)
      Object.assign(auth, {
        username: plain.slice(0, at),
        password: plain.slice(at + 1).replace(/\0+$/, ""),
      });
  }
  if (entry?.identitytoken) auth["identitytoken"] = entry.identitytoken;
  if (entry?.registrytoken) auth["registrytoken"] = entry.registrytoken;
  const known = entry ? auth : {};
  return {
    "X-Registry-Auth": Buffer.from(JSON.stringify(known))
      .toString("base64")
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
  };
}
