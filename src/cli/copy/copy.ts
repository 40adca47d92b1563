import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
export async function copyCommand(_session: Session, _source: string, _target: string, _flags: { archive: boolean; followLink: boolean; quiet: boolean }): Promise<number> {
  throw new CliError("cp is not implemented yet");
}
