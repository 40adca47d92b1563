import type { RuntimeContext } from "../context.ts";
import type { LogPolicy } from "../contract.ts";
export class LogRotation {
  constructor(_c: RuntimeContext) {}
  keep(_i: string, _l: string, _p: LogPolicy) {}
  stop(_i: string) {}
  close() {}
}
