/** What the process says on stderr and the code it ends with. An empty sentence prints nothing. */
export class CliError extends Error {
  readonly code: number;

  constructor(sentence: string, code = 1, options: { cause?: unknown } = {}) {
    super(sentence, options);
    this.code = code;
  }
}

/** What our own engine knows beyond the sentence of an error: a line for people, "" = nothing. */
export function detailIn(error: unknown): string {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    const { detail } = each as { detail?: unknown };
    if (typeof detail === "string" && detail !== "") return detail;
  }
  return "";
}
