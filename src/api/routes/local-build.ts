import { EngineError } from "../../lib/errors.ts";
import type { LocalBuildRequest } from "../../types/local-build.ts";
import { answerLocally, LocalAnswer } from "../build/local-answer.ts";
import { localBuildRequest } from "../build/local-request.ts";
import { localBuildShape } from "../build/local-shape.ts";
import type { Call } from "../call.ts";
import { contentTypes, type Reply } from "../reply.ts";
import type { Route } from "../router.ts";

const calls: readonly string[] = ["build", "check", "outline", "targets"];

/** A build of a client on this machine: its folders are read in place (`types/local-build.ts`). */
async function localBuild(call: Call): Promise<Reply> {
  const given = await call.json<Partial<LocalBuildRequest>>(localBuildShape, true);
  const { call: asked = "build" } = given;
  if (!calls.includes(asked)) throw new EngineError("invalid", `unsupported request frontend.${asked}`);
  const answer = new LocalAnswer();
  const request = await localBuildRequest(given, (index) => answer.sink(index), call.signal);
  void answerLocally(call.engine.builds, asked, request, answer);
  return { kind: "stream", status: 200, contentType: contentTypes.multiplexed, body: answer.body() };
}

export const localBuildRoutes: readonly Route[] = [
  { method: "POST", pattern: "/berth/build", handler: localBuild },
];
