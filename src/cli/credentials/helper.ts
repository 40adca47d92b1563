import { CliError } from "../errors.ts";

/** What a helper keeps for one registry. A user named `<token>` has an identity token in place of a password. */
interface HelperEntry {
  ServerURL: string;
  Username: string;
  Secret: string;
}

const notFoundSentence = "credentials not found in native keychain";

/**
 * A credential helper, `docker-credential-<name>`: a program that keeps passwords in the desktop's own store
 * (https://github.com/docker/docker-credential-helpers). It gets its input on stdin and answers JSON or a sentence.
 */
export class CredentialHelper {
  private readonly program: string;

  constructor(name: string) {
    if (!/^[\w.-]+$/.test(name)) throw new CliError(`invalid credential helper ${JSON.stringify(name)}`);
    this.program = `docker-credential-${name}`;
  }

  /** Undefined where it has none for that registry. */
  async get(server: string): Promise<HelperEntry | undefined> {
    const { code, output } = await this.run("get", server);
    if (code !== 0) {
      if (output === notFoundSentence) return undefined;
      throw new CliError(`error getting credentials - err: exit status ${code}, out: \`${output}\``);
    }
    const { Username = "", Secret = "" } = JSON.parse(output) as Partial<HelperEntry>;
    return { ServerURL: server, Username, Secret };
  }

  async store(entry: HelperEntry): Promise<void> {
    const { code, output } = await this.run("store", JSON.stringify(entry));
    if (code !== 0)
      throw new CliError(`error storing credentials - err: exit status ${code}, out: \`${output}\``);
  }

  async erase(server: string): Promise<void> {
    const { code, output } = await this.run("erase", server);
    if (code !== 0 && output !== notFoundSentence)
      throw new CliError(`error erasing credentials - err: exit status ${code}, out: \`${output}\``);
  }

  private async run(
    action: "get" | "store" | "erase",
    input: string,
  ): Promise<{ code: number; output: string }> {
    const doing = { get: "getting", store: "storing", erase: "erasing" }[action];
    if (!Bun.which(this.program))
      throw new CliError(
        `error ${doing} credentials - err: exec: ${JSON.stringify(this.program)}: executable file not found in $PATH, out: \`\``,
      );
    const child = Bun.spawn([this.program, action], {
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "inherit",
    });
    const [output, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { code, output: output.trim() };
  }
}
