/** Log services for tests, in an engine's network namespace: what they receive goes to a file. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startEngine, type TestEngine } from "./engine.ts";

export interface LogServer {
  /** what came so far */
  received(): Promise<Buffer>;
  /** a slow one reads from now on */
  take(): void;
  stop(): Promise<void>;
}

const servers = new Set<Bun.Subprocess>();
let serial = 0;

/** Where engines of `startLogEngine` look for journald. */
export const journal = `/tmp/berth-journald-${process.pid}.sock`;

export const startLogEngine = (): Promise<TestEngine> =>
  startEngine({ images: ["busybox"], env: { BERTH_JOURNALD_SOCKET: journal } });

/** Ends it with the services that a failed test left running. */
export async function endLogEngine(engine: TestEngine | undefined): Promise<void> {
  for (const server of servers) server.kill("SIGKILL");
  await engine?.destroy();
  await rm(journal, { force: true });
}

/** `kind` and `where` as in fixtures/log-server.ts, or `datagram` and a path. */
export async function serveLogs(
  engine: TestEngine,
  kind: string,
  where: string,
  file?: string,
): Promise<LogServer> {
  const out = file ?? join(engine.home, `received-${serial++}`);
  const fixture = (name: string): string => resolve(import.meta.dir, "../integration/fixtures", name);
  const command =
    kind === "datagram"
      ? ["python3", fixture("datagram-server.py"), where, out]
      : [process.execPath, fixture("log-server.ts"), kind, where, out];
  const server = Bun.spawn(engine.inNetwork(command), { stdout: "pipe", stderr: "inherit" });
  servers.add(server);
  const reader = server.stdout.getReader();
  if (!(await reader.read()).value) throw new Error(`the ${kind} server did not start`);
  reader.releaseLock();
  return {
    received: async () => (existsSync(out) ? readFile(out) : Buffer.alloc(0)),
    take: () => server.kill("SIGUSR1"),
    stop: async () => {
      server.kill("SIGKILL");
      await server.exited;
      servers.delete(server);
    },
  };
}

export async function until(
  server: LogServer,
  enough: (text: string) => boolean,
  timeoutMs = 100_000,
): Promise<string> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const text = (await server.received()).toString("latin1");
    if (enough(text)) return text;
    if (Date.now() > end) throw new Error(`what came is not what was waited for: ${text.slice(-2000)}`);
    await Bun.sleep(50);
  }
}

export const options = (all: Record<string, string>): string[] =>
  Object.entries(all).flatMap(([key, value]) => ["--log-opt", `${key}=${value}`]);

/** Every one of the numbers that a container counts, whatever comes twice. */
export function countedIn(text: string): Set<number> {
  return new Set([...text.matchAll(/count-(\d+)-/g)].map((match) => Number(match[1])));
}
export const counter = (until: number, pause: string): string =>
  `i=0; while [ $i -lt ${until} ]; do echo count-$i-; i=$((i+1)); ${pause} done`;
