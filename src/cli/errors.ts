/** What the process says on stderr and the code it ends with. An empty sentence prints nothing. */
export class CliError extends Error {
  readonly code: number;

  constructor(sentence: string, code = 1, options: { cause?: unknown } = {}) {
    super(sentence, options);
    this.code = code;
  }
}

/** A word that is not known, and those that are: people are told the nearest. */
export interface Mistaken {
  word: string;
  known(): readonly string[];
}

/** A command that does not exist. */
export class UnknownCommand extends CliError {
  readonly mistaken: Mistaken;

  constructor(sentence: string, mistaken: Mistaken) {
    super(sentence);
    this.mistaken = mistaken;
  }
}

/** What our own engine knows beyond the sentence of an error: a line for people, "" = nothing. */
export function detailIn(error: unknown): string {
  for (const each of causes(error)) {
    const { detail } = each as { detail?: unknown };
    if (typeof detail === "string" && detail !== "") return detail;
  }
  return "";
}

export function mistakenIn(error: unknown): Mistaken | undefined {
  for (const each of causes(error)) {
    const { mistaken } = each as { mistaken?: Mistaken };
    if (mistaken) return mistaken;
  }
  return undefined;
}

/** The error and what caused it, to a depth that ends. */
function* causes(error: unknown): Generator<Error> {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++)
    yield each;
}
