import { CliError } from "../errors.ts";
import { type FlagValues, maybeInt, string } from "./flag.ts";

export const stopFlags = {
  signal: string("signal,s", "Signal to send first"),
  timeout: maybeInt("timeout,t", "Seconds to wait before it is killed"),
  time: maybeInt("time", "Seconds to wait before it is killed", {
    hidden: true,
    deprecated: "use --timeout instead",
  }),
};

export function timeoutOf({ timeout, time }: FlagValues<typeof stopFlags>): number | undefined {
  if (timeout !== undefined && time !== undefined)
    throw new CliError("conflicting options: cannot specify both --timeout and --time");
  return timeout ?? time;
}
