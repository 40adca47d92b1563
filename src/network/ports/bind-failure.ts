import { isIPv4 } from "node:net";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { PortRequest } from "../contract.ts";

const reasons: Record<string, string> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
  EMFILE: "too many open files",
};

/** Docker's sentence: "failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use". */
export function bindFailure(
  request: PortRequest,
  {
    hostIp,
    hostPort,
    containerIp,
    program,
  }: { hostIp: string; hostPort: number; containerIp: string; program: string | undefined },
  error: unknown,
): EngineError {
  const { hostPort: first, hostPortEnd: last, port, protocol } = request;
  const host = isIPv4(hostIp) ? hostIp : `[${hostIp}]`;
  const ranged = last > first;
  const which = ranged
    ? `host port ${hostPort} for ${host}:${first}-${last}`
    : `host port for ${host}:${hostPort}`;
  const reason = reasons[String((error as { code?: unknown }).code)] ?? messageOf(error);
  return new EngineError(
    "internal",
    `failed to bind ${which}:${containerIp}:${port}/${protocol}: ${reason}`,
    {
      cause: error,
      ...(program === undefined ? {} : { detail: `port ${hostPort}/${protocol} is held by ${program}` }),
    },
  );
}
