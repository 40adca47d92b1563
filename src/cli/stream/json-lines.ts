import type { FailureLine } from "../../types/image-report.ts";
import { CliError } from "../errors.ts";

/** Values of a body of JSON lines, as they come. A line that tells a failure is thrown. */
export async function* jsonLines<Line extends object>(body: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield value<Line>(line);
  }
  if (rest.trim() !== "") yield value<Line>(rest);
}

function value<Line extends object>(line: string): Line {
  const parsed = JSON.parse(line) as Line | FailureLine;
  if ("error" in parsed && Object.keys(parsed).length === 1) throw new CliError(String(parsed.error));
  return parsed as Line;
}
