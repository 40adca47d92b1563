import { stat } from "node:fs/promises";
import { EngineError } from "../lib/errors.ts";

const reachMs = 5000;
/** one question a path, however often it is asked: each waits in a thread of which there are few */
const asked = new Map<string, Promise<void>>();

/**
 * Resolves once the file systems that hold `paths` answer, whether or not the paths are there. One that hangs, such as a
 * network file system whose server is gone, is told after a while: who asked it directly would stand still, and with the
 * main thread the whole engine.
 */
export async function reach(
  paths: readonly string[],
  { look = stat as (path: string) => Promise<unknown>, limitMs = reachMs } = {},
): Promise<void> {
  await Promise.all(paths.map((path) => within(path, question(path, look), limitMs)));
}

function question(path: string, look: (path: string) => Promise<unknown>): Promise<void> {
  const known = asked.get(path);
  if (known) return known;
  const done = (): void => void asked.delete(path);
  const asking = look(path).then(done, done);
  asked.set(path, asking);
  return asking;
}

async function within(path: string, answer: Promise<void>, limitMs: number): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), limitMs);
  });
  const first = await Promise.race([answer, late]);
  clearTimeout(timer);
  if (first === "late")
    throw new EngineError(
      "internal",
      `stat ${path}: its file system does not answer (a server that is gone?)`,
    );
}
