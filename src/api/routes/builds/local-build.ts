import { EngineError, messageOf } from "../../../lib/errors.ts";
import type { WireBuildLog, WireBuildRecord } from "../../../types/local-build.ts";
import { answerLocally, LocalAnswer } from "../../build/local-answer.ts";
import { readLocalBody } from "../../build/local-body.ts";
import { localBuildRequest } from "../../build/local-request.ts";
import { openSources } from "../../build/local-sources.ts";
import type { Call } from "../../call.ts";
import { contentTypes, json, noContent, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

const calls: readonly string[] = ["build", "check", "outline", "targets"];

/** A build of a client on this machine: its folders are read in place (`types/local-build.ts`). */
async function localBuild(call: Call): Promise<Reply> {
  const { given, tar } = await readLocalBody(call);
  const { call: asked = "build" } = given;
  if (!calls.includes(asked)) throw new EngineError("invalid", `unsupported request frontend.${asked}`);
  const answer = new LocalAnswer();
  const { builds } = call.engine;
  const { signal } = call;
  const sources = await openSources(given, { builds, tar, signal });
  const closed = (): Promise<void> =>
    sources.close().catch((error) => call.engine.logger.warn("build context", { error: messageOf(error) }));
  try {
    const sinkOf = (index: number) => answer.sink(index);
    const request = await localBuildRequest(given, sinkOf, { builds, sources, signal });
    if (sources.isTold) answer.tell({ kind: "dockerfile", ...sources.dockerfile });
    void answerLocally(call.engine.builds, asked, request, answer).finally(closed);
  } catch (error) {
    await closed();
    throw error;
  }
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
