import { EngineError } from "../../lib/errors.ts";
import type { LocalBuildRequest, WireBuildLog, WireBuildRecord } from "../../types/local-build.ts";
import { answerLocally, LocalAnswer } from "../build/local-answer.ts";
import { localBuildRequest } from "../build/local-request.ts";
import { localBuildShape } from "../build/local-shape.ts";
import type { Call } from "../call.ts";
import { contentTypes, json, noContent, type Reply } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const calls: readonly string[] = ["build", "check", "outline", "targets"];

/** A build of a client on this machine: its folders are read in place (`types/local-build.ts`). */
async function localBuild(call: Call): Promise<Reply> {
  const given = await call.json<Partial<LocalBuildRequest>>(localBuildShape, true);
  const { call: asked = "build" } = given;
  if (!calls.includes(asked)) throw new EngineError("invalid", `unsupported request frontend.${asked}`);
  const answer = new LocalAnswer();
  const { builds } = call.engine;
  const { signal } = call;
  const request = await localBuildRequest(given, (index) => answer.sink(index), { builds, signal });
  void answerLocally(call.engine.builds, asked, request, answer);
  return { kind: "stream", status: 200, contentType: contentTypes.multiplexed, body: answer.body() };
}

const history: Handler = ({ engine }) => {
  const records: WireBuildRecord[] = engine.builds.history();
  return json(records);
};

const logs: Handler = async ({ engine, params }) => {
  const { ref = "" } = params;
  if (!engine.builds.history().some((each) => each.ref === ref))
    throw new EngineError("notFound", `no record found for ref ${JSON.stringify(ref)}`);
  const lines: WireBuildLog[] = await engine.builds.logs(ref);
  return json(lines);
};

/** A build that runs is told at its end, so it cannot be forgotten before. */
const forget: Handler = ({ engine, params }) => {
  const { ref = "" } = params;
  const record = engine.builds.history().find((each) => each.ref === ref);
  if (record?.status === "running") throw new EngineError("conflict", `build ${ref} is running`);
  if (!engine.builds.forget(ref))
    throw new EngineError("notFound", `no record found for ref ${JSON.stringify(ref)}`);
  return noContent;
};

export const localBuildRoutes: readonly Route[] = [
  { method: "GET", pattern: "/berth/build/history", handler: history },
  { method: "GET", pattern: "/berth/build/history/{ref}/logs", handler: logs },
  { method: "DELETE", pattern: "/berth/build/history/{ref}", handler: forget },
  { method: "POST", pattern: "/berth/build", handler: localBuild },
];
