import { wait } from "../../client/containers.ts";
import { ApiError } from "../../client/errors.ts";
import { CliError } from "../errors.ts";
import { custom, type Flag } from "../flags/flag.ts";
import type { Session } from "../session.ts";
import { duration } from "./values.ts";

const noLimit = 0;

export const waitTimeout = (): Flag<number> =>
  custom<number>(
    "wait-timeout",
    "duration",
    "Longest time to wait (s|m|h)",
    noLimit,
    (_current, text) => duration(text),
    {
      shownDefault: "0s",
    },
  );

/**
 * Waits until a started container is healthy, or runs where it has no check; throws with the reason (exit code 1) when
 * it is unhealthy, has ended, or takes longer than `timeoutNs`.
 */
export async function waitHealthy(session: Session, id: string, timeoutNs: number): Promise<void> {
  const asking = ask(session, id);
  // it may be given up on
  asking.catch(() => undefined);
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    if (timeoutNs === noLimit) return;
    timer = setTimeout(
      () => reject(new CliError(`container ${id} was not healthy within ${timeoutNs / 1e9} s`, 1)),
      timeoutNs / 1e6,
    );
  });
  try {
    await Promise.race([asking, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(session: Session, id: string): Promise<void> {
  try {
    const { ended } = await wait(session.client, id, "healthy");
    const { StatusCode, Error: problem } = await ended;
    if (StatusCode !== 0) throw new CliError(problem?.Message ?? `container ${id} is not healthy`, 1);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new CliError(`container ${id} ended, and was removed, before it was healthy`, 1);
    throw error;
  }
}
