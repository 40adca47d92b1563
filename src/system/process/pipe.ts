import { EngineError, messageOf } from "../../lib/errors.ts";

/**
 * Sends bytes through a program (`xz -dc`) and gives what it writes. Throws `invalid` with the program's own words
 * where it fails, and a sentence on what to install where it is missing. Both ways are bounded by the pipes.
 */
export async function* throughProgram(
  command: readonly [string, ...string[]],
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const program = command[0];
  if (Bun.which(program) === null)
    throw new EngineError(
      "unavailable",
      `the archive needs ${program}, which is not installed: apt-get install ${packageOf(program)}`,
    );
  const child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const complaint = new Response(child.stderr).text();
  let inputError: unknown;
  const feeding = feed(child.stdin, input).catch((error: unknown) => {
    inputError = error;
    child.kill();
  });
  let ended = false;
  try {
    for await (const bytes of child.stdout) yield bytes;
    ended = true;
  } finally {
    if (!ended) child.kill();
  }
  await feeding;
  const code = await child.exited;
  if (inputError !== undefined) throw inputError;
  if (code !== 0)
    throw new EngineError(
      "invalid",
      `${program}: ${(await complaint).slice(0, 500).trim() || `exit code ${code}`}`,
    );
}

async function feed(stdin: Bun.FileSink, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of input) {
    try {
      stdin.write(bytes);
      await stdin.flush();
    } catch (error) {
      // the program has ended early: its exit code tells why
      if (/EPIPE|closed/i.test(messageOf(error))) return;
      throw error;
    }
  }
  await stdin.end();
}

const packages: Record<string, string> = { xz: "xz-utils" };
const packageOf = (program: string): string => packages[program] ?? program;
