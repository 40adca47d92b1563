import type { RequestOptions } from "../../client/client.ts";
import { ApiError } from "../../client/errors.ts";
import { messageOf } from "../../lib/errors.ts";
import {
  type LocalBuildMessage,
  type LocalBuildRequest,
  uploadType,
  type WireWarning,
} from "../../types/local-build.ts";
import type { Session } from "../session.ts";
import type { Display } from "./display/display.ts";
import { solveError } from "./failure.ts";
import type { OutputFiles } from "./output-files.ts";
import { ContextStep } from "./report/context-step.ts";
import { readBuild } from "./stream.ts";

export type BuildFailure = Extract<LocalBuildMessage, { kind: "error" }>;
export type BuildOutcome = Extract<LocalBuildMessage, { kind: "result" | "outline" | "targets" }>;

export interface LocalBuild {
  outcome: BuildOutcome | BuildFailure;
  warnings: WireWarning[];
  /** digest of the first step, which read the Dockerfile */
  reader: string;
  /** as the client had it, or the engine told it */
  dockerfile: { name: string; text: string };
}

const refreshMs = 100;

/** Thrown where the engine is none that reads folders in place, and nothing of a stream is gone: the build goes as a tar then. */
export class NotLocal extends Error {}

interface Asking {
  request: LocalBuildRequest;
  /** what goes behind the request; it can be read once */
  tar: AsyncIterable<Uint8Array> | undefined;
}

/** Asks the engine on this machine, and shows what happens until it has answered. */
export async function buildLocally(
  session: Session,
  { request, tar }: Asking,
  display: Display,
  files: OutputFiles,
): Promise<LocalBuild> {
  const { name, text = "" } = request.dockerfile;
  const warnings: WireWarning[] = [];
  let dockerfile = { name, text };
  let outcome: LocalBuild["outcome"] | undefined;
  let reader = "";
  let isShown = true;
  const timer = setInterval(() => display.refresh(), refreshMs);
  try {
    const body = await sent(session, { request, tar }, display);
    await readBuild(
      body,
      (message) => {
        if (message.kind === "dockerfile") {
          dockerfile = message;
          return;
        }
        display.take(message);
        if (message.kind === "vertex") reader ||= message.vertex.digest;
        if (message.kind === "warning") warnings.push(message.warning);
        else if (message.kind === "result" || message.kind === "outline") outcome = message;
        else if (message.kind === "targets" || message.kind === "error") outcome = message;
      },
      (index, bytes) => files.write(index, bytes),
    );
  } catch (error) {
    isShown = !(error instanceof NotLocal);
    throw error;
  } finally {
    clearInterval(timer);
    if (isShown) display.end();
  }
  if (outcome === undefined) throw solveError("the engine ended the connection before the build was over");
  return { outcome, warnings, dockerfile, reader };
}

/** The engine answers once it has the context: what it fetches, or is sent, is shown as a step of its own. */
async function sent(
  session: Session,
  { request, tar }: Asking,
  display: Display,
): Promise<AsyncIterable<Uint8Array>> {
  const { context } = request;
  const url = context !== undefined && "url" in context ? context.url : request.dockerfile.url;
  if (url === undefined && tar === undefined) return await send(session, { json: request });
  const step = new ContextStep(display, url);
  try {
    const body = tar && behind(request, tar, (bytes) => step.progress(bytes));
    const answer = await send(session, body ? { body, contentType: uploadType } : { json: request });
    step.end();
    return answer;
  } catch (error) {
    step.end(messageOf(error).replace(/^ERROR: failed to build: failed to solve: /, ""));
    throw error;
  }
}

async function* behind(
  request: LocalBuildRequest,
  tar: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${JSON.stringify(request)}\n`);
  let total = 0;
  for await (const bytes of tar) {
    yield bytes;
    total += bytes.length;
    progress(total);
  }
}

/** Whether it is an engine that has this request: an empty one is refused with another word than an unknown path. */
export async function buildsInPlace(session: Session): Promise<boolean> {
  try {
    await session.client.call("POST", "/berth/build", { json: {} });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status !== 404;
  }
}

async function send(session: Session, what: RequestOptions): Promise<AsyncIterable<Uint8Array>> {
  try {
    return (await session.client.request("POST", "/berth/build", what)).body;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const isOther = error.status === 404 || error.status === 409;
    if (isOther && what.body === undefined) throw new NotLocal(error.message);
    throw isOther || [400, 413, 500, 501, 503].includes(error.status) ? solveError(error.sentence) : error;
  }
}
