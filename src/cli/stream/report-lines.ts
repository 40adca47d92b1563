import { jsonLines } from "../../lib/wire/json-lines.ts";
import type { FailureLine } from "../../types/image-report.ts";
import { CliError } from "../errors.ts";

/** The lines of a report, as they come. One that tells a failure is thrown. */
export async function* reportLines<Line extends object>(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Line> {
  for await (const value of jsonLines(body)) {
    const line = value as Line | FailureLine;
    if ("error" in line && Object.keys(line).length === 1) throw new CliError(String(line.error));
    yield line as Line;
  }
}
