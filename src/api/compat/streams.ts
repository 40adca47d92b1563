import { contentTypes } from "../reply.ts";

/**
 * The content type of process output: from API 1.42 on, what is framed says so. Attach and exec tell it only where the
 * client asked for an upgrade (`upgraded`); logs tell it always.
 */
export function streamContentType(minor: number, terminal: boolean): string {
  return minor >= 42 && !terminal ? contentTypes.multiplexed : contentTypes.raw;
}

export const hijackContentType = (minor: number, terminal: boolean, upgraded: boolean): string =>
  upgraded ? streamContentType(minor, terminal) : contentTypes.raw;
