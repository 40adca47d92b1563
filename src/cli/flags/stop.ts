import { type FlagValues, maybeInt, string } from "./flag.ts";

export const stopFlags = {
  signal: string("signal,s", "Signal to send first"),
  timeout: maybeInt("timeout,t", "Seconds to wait before it is killed"),
  time: maybeInt("time", "Seconds to wait before it is killed", {
    hidden: true,
    deprecated: "use --timeout instead",
  }),
};

export const timeoutOf = ({ timeout, time }: FlagValues<typeof stopFlags>): number | undefined =>
  timeout ?? time;
