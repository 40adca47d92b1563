import { EngineError } from "../../lib/errors.ts";

interface PlainRemote {
  /** without user and password */
  remote: string;
  /** what gives them to git, and to nobody else: arguments are seen by every user, and files may go into the image */
  env: Record<string, string>;
}

/** git runs it by a shell, in which only names stand (gitcredentials(7)). */
const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$BERTH_GIT_USER" "$BERTH_GIT_PASSWORD"; }; f`;

/** Takes the credentials of an http(s) remote out of its URL. They are for its host alone, whatever redirects say. */
export function splitCredentials(remote: string): PlainRemote {
  const url = /^https?:\/\//i.test(remote) && URL.canParse(remote) ? new URL(remote) : undefined;
  if (url === undefined || (url.username === "" && url.password === "")) return { remote, env: {} };
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (/[\r\n\0]/.test(user + password))
    throw new EngineError("invalid", "the credentials of a git remote hold a line break");
  const key = `credential.${url.origin}.helper`;
  url.username = "";
  url.password = "";
  return {
    remote: url.href,
    env: {
      BERTH_GIT_USER: user,
      BERTH_GIT_PASSWORD: password,
      GIT_CONFIG_COUNT: "2",
      // the empty one takes away those of the system's configuration
      GIT_CONFIG_KEY_0: key,
      GIT_CONFIG_VALUE_0: "",
      GIT_CONFIG_KEY_1: key,
      GIT_CONFIG_VALUE_1: helper,
    },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
