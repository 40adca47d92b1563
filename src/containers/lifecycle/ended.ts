import { signalName, signals } from "../../lib/container/signals.ts";
import type { ExitReport } from "../../runtime/contract.ts";
import type { Container, Sent } from "../container.ts";
import type { Ended, Sender } from "../contract.ts";

/** a signal that a program may end after in its own time, and by its own code, is held to be the reason for so long */
const patienceMs = 10_000;

const signalOf = (exitCode: number): number | undefined =>
  exitCode > 128 && exitCode <= 128 + 64 ? exitCode - 128 : undefined;

/** What is known when the exit is told. `report.lost`: its code is an assumption. */
export function endedBy(
  sent: readonly Sent[],
  report: Pick<ExitReport, "exitCode" | "oomKilled" | "oomKills" | "lost">,
  atMs = performance.now(),
): Ended {
  if (report.lost) return { cause: "lost" };
  const signal = signalOf(report.exitCode);
  const counted = report.oomKilled ? { oomKills: report.oomKills ?? 1 } : {};
  const reason = sent.findLast((one) => isReason(one, signal, atMs));
  if (reason) {
    const numbers = sent.filter(({ by }) => by === reason.by).map((one) => one.signal);
    return { cause: "signal", by: reason.by, signals: [...new Set(numbers)], ...counted };
  }
  if (report.oomKilled && signal === signals.kill) return { cause: "oom", ...counted };
  if (signal !== undefined) return { cause: "signal", signals: [signal], ...counted };
  return { cause: "exit", ...counted };
}

/** Whoever meant its end is the reason of it, however it ended; a mere signal only where the end looks like it. */
function isReason({ by, signal, atMs }: Sent, ended: number | undefined, nowMs: number): boolean {
  if (by !== "kill") return true;
  if (ended !== undefined) return signal === ended;
  return signal === signals.terminate && nowMs - atMs < patienceMs;
}

const askedBy: Record<Sender, string> = {
  stop: "stopped by a client",
  restart: "stopped by a client to be restarted",
  kill: "killed by a client",
  remove: "killed by a client to be removed",
  health: "ended by the engine as it was unhealthy",
};

/** One sentence for people, without its full stop. */
export function reasonOf({ ended, exitCode }: { ended: Ended; exitCode: number }): string {
  const names = (ended.signals ?? []).map(signalName);
  const memory =
    ended.oomKills === undefined || ended.cause === "oom"
      ? ""
      : `; before that the kernel had ended ${processes(ended.oomKills)} for want of memory`;
  if (ended.by) return `${askedBy[ended.by]} (${names.join(", then ")}), exit code ${exitCode}${memory}`;
  switch (ended.cause) {
    case "oom":
      return `out of memory: the kernel ended ${processes(ended.oomKills ?? 1)} of it`;
    case "lost":
      return "its end was not seen: the machine or the container's monitor went down";
    case "signal":
      return `exit code ${exitCode}: ended by ${names[0] ?? "a signal"}, which the engine did not send, or by itself with that code${memory}`;
    case "exit":
      return `ended by itself with exit code ${exitCode}${memory}`;
  }
}

const processes = (count: number): string => `${count} process${count === 1 ? "" : "es"}`;

/** Why a container that does not run is in that state; undefined where it runs, or never ran. */
export function whyEnded(container: Container): { ended?: Ended; reason: string } | undefined {
  const { life } = container;
  if (container.alive || life.status === "starting") return undefined;
  if (life.error !== "") return { reason: `could not start: ${life.error}` };
  if (container.neverStarted || !life.ended) return undefined;
  return { ended: life.ended, reason: reasonOf({ ended: life.ended, exitCode: life.exitCode }) };
}
