import type { Trace } from "./trace.ts";

/** After a failure: the last lines of each step that failed. */
export function failureLogs({ started }: Trace): string {
  const failed = started.filter(
    ({ vertex }) => vertex.error !== undefined && !vertex.error.endsWith("context canceled"),
  );
  return failed
    .map(({ vertex, tail, lines }) =>
      ["------", ` > ${vertex.name}:`, ...tail, ...lines, "------", ""].join("\n"),
    )
    .join("");
}
