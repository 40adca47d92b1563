import { CliError } from "../errors.ts";
import { programName } from "../program.ts";

/** `run` and `create` prefix their errors and point to their help. */
export const withHelp = (command: string, error: unknown, code: number): CliError =>
  new CliError(
    `${programName}: ${sentence(error)}\n\nRun '${programName} ${command} --help' for more information`,
    code,
    { cause: error },
  );

const sentence = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.?\s*$/, (end) =>
    end.trim() === "." ? "." : "",
  );

/** 127 for a program that is not there, 126 for one that cannot be run, 125 for all else. */
export function runExitCode(error: unknown): number {
  const text = error instanceof Error ? error.message : String(error);
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(text))
    return 127;
  if (/permission denied|is a directory/.test(text)) return 126;
  return 125;
}
