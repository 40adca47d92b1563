import { ApiError } from "../../client/errors.ts";
import type { LocalBuildMessage, LocalBuildRequest, WireWarning } from "../../types/local-build.ts";
import type { Session } from "../session.ts";
import type { Display } from "./display/display.ts";
import { solveError } from "./failure.ts";
import type { OutputFiles } from "./output-files.ts";
import { readBuild } from "./stream.ts";

export type BuildFailure = Extract<LocalBuildMessage, { kind: "error" }>;
export type BuildOutcome = Extract<LocalBuildMessage, { kind: "result" | "outline" | "targets" }>;

export interface LocalBuild {
  outcome: BuildOutcome | BuildFailure;
  warnings: WireWarning[];
  /** digest of the first step, which read the Dockerfile */
  reader: string;
}

const refreshMs = 100;

/** Thrown where the engine is none that reads folders in place; the build goes as a tar then. */
export class NotLocal extends Error {}

/** Asks the engine on this machine, and shows what happens until it has answered. */
export async function buildLocally(
  session: Session,
  request: LocalBuildRequest,
  display: Display,
  files: OutputFiles,
): Promise<LocalBuild> {
  const body = await send(session, request);
  const warnings: WireWarning[] = [];
  let outcome: LocalBuild["outcome"] | undefined;
  let reader = "";
  const timer = setInterval(() => display.refresh(), refreshMs);
  try {
    await readBuild(
      body,
      (message) => {
        display.take(message);
        if (message.kind === "vertex") reader ||= message.vertex.digest;
        if (message.kind === "warning") warnings.push(message.warning);
        else if (message.kind === "result" || message.kind === "outline") outcome = message;
        else if (message.kind === "targets" || message.kind === "error") outcome = message;
      },
      (index, bytes) => files.write(index, bytes),
    );
  } finally {
    clearInterval(timer);
    display.end();
  }
  if (outcome === undefined) throw solveError("the engine ended the connection before the build was over");
  return { outcome, warnings, reader };
}

async function send(session: Session, request: LocalBuildRequest): Promise<AsyncIterable<Uint8Array>> {
  try {
    return (await session.client.request("POST", "/berth/build", { json: request })).body;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404 || error.status === 409) throw new NotLocal(error.message);
    throw [400, 501].includes(error.status) ? solveError(error.sentence) : error;
  }
}
