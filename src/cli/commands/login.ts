import { ApiError } from "../../client/errors.ts";
import { atMost, defineCommand } from "../command.ts";
import { eraseLogin, findLogin, hubServer, keepLogin, type Login, serverOf } from "../credentials/store.ts";
import { CliError } from "../errors.ts";
import { bool, string } from "../flags/flag.ts";
import { ask, askSecret } from "../prompt.ts";
import type { Session } from "../session.ts";
import { isTerminal } from "../stdio.ts";
import { openInput } from "../stream/input.ts";

export const command = defineCommand({
  usage: "[SERVER]",
  description:
    "Keep a user and password (or token) for a registry, Docker Hub by default, once it accepts them.",
  arity: atMost(1),
  flags: {
    password: string("password,p", "Password or access token"),
    passwordStdin: bool("password-stdin", "Read the password or access token from stdin"),
    username: string("username,u", "Username"),
  },
  async run({ session, args, flags, changed }) {
    const server = serverOf((args[0] ?? "docker.io").replace(/^https?:\/\//, "").split("/", 1)[0] ?? "");
    if (flags.passwordStdin && flags.password !== "")
      throw new CliError("conflicting options: cannot specify both --password and --password-stdin");
    if (flags.passwordStdin && flags.username === "")
      throw new CliError("the --password-stdin option requires --username to be set");
    if (changed("username") && flags.username === "") throw new CliError("username is empty");
    if (changed("password") && flags.password === "") throw new CliError("password is empty");
    if (flags.password !== "")
      session.err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    const known =
      flags.username === "" && flags.password === "" ? await findLogin(session, server) : undefined;
    if (known && (await tryKnown(session, server, known))) return 0;
    const password = flags.passwordStdin ? await readSecret() : flags.password;
    const login = await complete(session, { username: flags.username, password, server, known });
    await logIn(session, server, login);
    return 0;
  },
});

/** What is kept may still be good. */
async function tryKnown(session: Session, server: string, known: Login): Promise<boolean> {
  session.err(
    `Authenticating with existing credentials...${known.username ? ` [Username: ${known.username}]` : ""}`,
  );
  session.err("");
  session.err(" Info -> To login with a different account, run 'docker logout' followed by 'docker login'");
  session.err("\n");
  try {
    await logIn(session, server, known);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    session.out(`Login did not succeed, error: ${error.message}`);
    return false;
  }
}

interface Given {
  username: string;
  password: string;
  server: string;
  known: Login | undefined;
}

async function complete(session: Session, { username, password, server, known }: Given): Promise<Login> {
  if ((username === "" || password === "") && !isTerminal(0))
    throw new CliError("Error: Cannot perform an interactive login from a non TTY device");
  if (username === "" && server === hubServer)
    session.out("Log in with your Docker ID or email address to push and pull images from Docker Hub.");
  const usual = known?.username ?? "";
  const name = username || (await ask(session, `Username${usual ? ` (${usual})` : ""}: `)).trim() || usual;
  if (name === "") throw new CliError("Error: Non-null Username Required");
  const secret = password || (await askSecret(session, "Password: "));
  if (secret === "") throw new CliError("Error: Password Required");
  return { username: name, password: secret };
}

/** All of stdin but its line end. */
async function readSecret(): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of openInput()) parts.push(bytes);
  return Buffer.concat(parts).toString("utf8").replace(/\n$/, "").replace(/\r$/, "");
}

async function logIn(session: Session, server: string, login: Login): Promise<void> {
  const answer = await session.client.json<{ Status: string; IdentityToken?: string }>("POST", "/auth", {
    json: { ...login, serveraddress: server },
  });
  const kept: Login = answer.IdentityToken
    ? { ...login, password: "", identitytoken: answer.IdentityToken }
    : login;
  let plain: boolean;
  try {
    plain = await keepLogin(session, server, kept);
  } catch (error) {
    await eraseLogin(session, server).catch(() => undefined); // the failure to keep it is what is told
    throw new CliError(`Error saving credentials: ${(error as Error).message}`);
  }
  if (plain) {
    const file = `${session.configFolder}/config.json`;
    session.err(
      `\nWARNING! Your credentials are stored unencrypted in '${file}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n`,
    );
  }
  session.out(answer.Status);
}
