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

/** Calls `forward` with each signal that arrives (`TERM`, `INT` …); answers how to stop that. */
export function proxySignals(forward: (name: string) => Promise<unknown>): () => void {
  const stops = forwarded.map((signal) => {
    const listener = (): void => {
      // The process may have ended meanwhile; there is nobody to tell then.
      forward(signal.slice(3)).catch(() => undefined);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
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
