/** The engine's API for tests that make thousands of requests: over its socket, without a process for each. */
import { readdir, readFile } from "node:fs/promises";
import type { TestEngine } from "./engine.ts";

export interface Answer {
  status: number;
  body: Buffer;
  /** the body read as JSON; an empty object where there is none */
  json(): Record<string, unknown>;
  /** the sentence of an error */
  message(): string;
}

/** The engine went away before its answer was whole: whether it did what was asked is unknown. */
export class EngineGone extends Error {}

const longestMs = 60_000;

export async function call(
  engine: TestEngine,
  method: string,
  path: string,
  body?: object,
  timeoutMs = longestMs,
): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  let status: number;
  let bytes: Buffer;
  try {
    const response = await engine.api(path, {
      method,
      signal,
      // it would be followed without the socket
      redirect: "manual",
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    });
    status = response.status;
    bytes = Buffer.from(await response.arrayBuffer());
  } catch (error) {
    if (signal.aborted)
      throw new Error(`${method} ${path}: no answer within ${timeoutMs} ms`, { cause: error });
    throw new EngineGone(`${method} ${path}`, { cause: error });
  }
  const json = (): Record<string, unknown> => {
    const text = bytes.toString();
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  return { status, body: bytes, json, message: () => (status < 400 ? "" : String(json()["message"])) };
}

/** Payload of Docker's multiplexed stream, both streams as they came. */
export function demultiplex(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}

/** What the engine's process holds: open descriptors and resident memory in MB. */
export async function footprint(engine: TestEngine): Promise<{ descriptors: number; residentMb: number }> {
  const descriptors = (await readdir(`/proc/${engine.pid}/fd`)).length;
  const status = await readFile(`/proc/${engine.pid}/status`, "utf8");
  const residentMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  return { descriptors, residentMb };
}
