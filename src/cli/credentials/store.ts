import { setConfigKey } from "../contexts/store.ts";
import type { Session } from "../session.ts";
import { CredentialHelper } from "./helper.ts";

/** What is known for one registry, in the words of Docker's API. */
export interface Login {
  username?: string;
  password?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

export const hubServer = "https://index.docker.io/v1/";

/** The key a registry is kept by: the Hub has one of old. */
export const serverOf = (domain: string): string =>
  domain === "docker.io" || domain === "index.docker.io" ? hubServer : domain;

/** The name of the helper that keeps a registry's credentials; undefined = the configuration itself. */
const helperOf = ({ config }: Session, server: string): string | undefined =>
  config.credHelpers?.[hostOf(server)] ?? config.credHelpers?.[server] ?? (config.credsStore || undefined);

const hostOf = (server: string): string => server.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";

const tokenUser = "<token>";

/** What is kept for a registry; undefined where nothing is. */
export async function findLogin(session: Session, server: string): Promise<Login | undefined> {
  const helper = helperOf(session, server);
  if (helper === undefined) return fromConfig(session, server);
  const entry = await new CredentialHelper(helper).get(server);
  if (entry === undefined) return fromConfig(session, server);
  return entry.Username === tokenUser
    ? { serveraddress: server, identitytoken: entry.Secret }
    : { serveraddress: server, username: entry.Username, password: entry.Secret };
}

/** Also by the older spellings, with a scheme or a path. */
function fromConfig({ config }: Session, server: string): Login | undefined {
  const auths = config.auths ?? {};
  const key = Object.hasOwn(auths, server)
    ? server
    : Object.keys(auths).find((each) => hostOf(each) === hostOf(server));
  const entry = key === undefined ? undefined : auths[key];
  if (!entry) return undefined;
  const login: Login = { serveraddress: server };
  const plain = entry.auth ? Buffer.from(entry.auth, "base64").toString("utf8") : "";
  const colon = plain.indexOf(":");
  if (colon > 0) {
    login.username = plain.slice(0, colon);
    login.password = plain.slice(colon + 1).replace(/\0+$/, "");
  }
  if (entry.identitytoken) login.identitytoken = entry.identitytoken;
  if (entry.registrytoken) login.registrytoken = entry.registrytoken;
  return login.username || login.identitytoken || login.registrytoken ? login : undefined;
}

/** Keeps a login. True where it is newly in the configuration, readable by whoever can read that. */
export async function keepLogin(session: Session, server: string, login: Login): Promise<boolean> {
  const { username = "", password = "", identitytoken } = login;
  const helper = helperOf(session, server);
  if (helper !== undefined) {
    await new CredentialHelper(helper).store({
      ServerURL: server,
      Username: identitytoken ? tokenUser : username,
      Secret: identitytoken ?? password,
    });
    setConfigKey(session.configFolder, "auths", { ...session.config.auths, [server]: {} });
    return false;
  }
  const entry = {
    auth: Buffer.from(`${username}:${identitytoken ? "" : password}`).toString("base64"),
    ...(identitytoken ? { identitytoken } : {}),
  };
  const before = session.config.auths?.[server];
  if (before?.auth === entry.auth && before.identitytoken === identitytoken) return false;
  setConfigKey(session.configFolder, "auths", { ...session.config.auths, [server]: entry });
  return true;
}

/** Lets go of what is kept for a registry; nothing kept is a success. */
export async function eraseLogin(session: Session, server: string): Promise<void> {
  const helper = helperOf(session, server);
  if (helper !== undefined) await new CredentialHelper(helper).erase(server);
  const auths = session.config.auths ?? {};
  const left = Object.entries(auths).filter(
    ([key]) => key !== server && key !== hostOf(server) && hostOf(key) !== hostOf(server),
  );
  if (left.length < Object.keys(auths).length)
    setConfigKey(session.configFolder, "auths", Object.fromEntries(left));
}
