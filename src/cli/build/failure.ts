import { CliError } from "../errors.ts";

/** A sentence of the client's own, before anything was built. */
export const buildError = (sentence: string): CliError => new CliError(`ERROR: failed to build: ${sentence}`);

/** Wrong options: told without more in front. */
export const optionError = (sentence: string): CliError => new CliError(`ERROR: ${sentence}`);

/** What the engine says of a build that failed. */
export const solveError = (sentence: string): CliError => buildError(`failed to solve: ${sentence}`);
