/** What the process says on stderr and the code it ends with. An empty sentence prints nothing. */
export class CliError extends Error {
  readonly code: number;

  constructor(sentence: string, code = 1) {
    super(sentence);
    this.code = code;
  }
}
