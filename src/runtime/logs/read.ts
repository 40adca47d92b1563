import type { LogOptions } from "../contract.ts";
export function readLogs(_p: string, _o: LogOptions, _e: Promise<unknown>): ReadableStream<Uint8Array> {
  throw new Error("soon");
}
