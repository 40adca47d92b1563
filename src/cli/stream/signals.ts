import { writeNow } from "../stdio.ts";

/** Signals passed on to the container's process; the others concern the client alone. */
const forwarded = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGWINCH",
] as const;

/** That many requests to end are passed on to a process that may ignore them; then the client itself ends, as docker's. */
const endingsMax = 3;
/** for an engine that does not take the last one */
const lastForwardMs = 1000;

/** Calls `forward` with each signal that arrives (`TERM`, `INT` …); answers how to stop that. */
export function proxySignals(forward: (name: string) => Promise<unknown>): () => void {
  let endings = 0;
  const stops = forwarded.map((signal) => {
    const listener = (): void => {
      // The process may have ended meanwhile; there is nobody to tell then.
      const told = forward(signal.slice(3)).catch(() => undefined);
      if ((signal === "SIGINT" || signal === "SIGTERM") && ++endings === endingsMax) void leave(told);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
}

async function leave(told: Promise<unknown>): Promise<never> {
  await Promise.race([told, Bun.sleep(lastForwardMs)]);
  writeNow(2, `\ngot ${endingsMax} SIGTERM/SIGINTs, forcefully exiting\n`);
  process.exit(1);
}

/** Keeps the process's terminal as large as ours: now, and whenever ours changes. */
export function followWindowSize(
  resize: (size: { rows: number; columns: number }) => Promise<unknown>,
  size: () => { rows: number; columns: number } | undefined,
): () => void {
  let tries = 5;
  const apply = (): void => {
    const now = size();
    if (!now || (now.rows === 0 && now.columns === 0)) return;
    resize(now).catch(() => {
      // The process may not have its terminal yet.
      if (tries-- > 0) setTimeout(apply, 20);
    });
  };
  apply();
  process.on("SIGWINCH", apply);
  return () => void process.off("SIGWINCH", apply);
}
