import { parseNs } from "../../lib/time/time.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { logPathIn } from "./logs.ts";

const linesMax = 10;
const bytesMax = 4096;

/** The last lines of a container's last run, both streams together; read from the log now. */
export async function lastLines(ctx: Context, container: Container): Promise<string[]> {
  const logPath = logPathIn(ctx, container);
  if (logPath === undefined) return [];
  const sinceNs = parseNs(container.life.startedAt);
  const stream = ctx.runtime.logs(
    logPath,
    {
      stdout: true,
      stderr: true,
      follow: false,
      tail: linesMax,
      timestamps: false,
      // raw bytes, without frames
      terminal: true,
      ...(sinceNs === undefined ? {} : { sinceNs }),
    },
    Promise.resolve(),
  );
  let kept = Buffer.alloc(0);
  let cut = false;
  for await (const chunk of stream) {
    const all = Buffer.concat([kept, chunk]);
    cut ||= all.length > bytesMax;
    kept = all.subarray(Math.max(0, all.length - bytesMax));
  }
  return linesIn(kept, cut);
}

/** Whole lines; the first one is dropped where its beginning was cut off and others follow. */
export function linesIn(bytes: Buffer, cut: boolean): string[] {
  const lines = bytes.toString("utf8").replace(/\n$/, "").split("\n");
  if (cut && lines.length > 1) lines.shift();
  return lines.length === 1 && lines[0] === ""
    ? []
    : lines.slice(-linesMax).map((line) => line.replace(/\r$/, ""));
}
