import { EngineError, messageOf } from "../../../lib/errors.ts";
import { nowNs } from "../../../lib/time/time.ts";
import { parseTimestamp } from "../../../lib/time/timestamp.ts";
import type { Filters } from "../../../lib/wire/filters.ts";
import { classicBuild } from "../../build/classic.ts";
import { listFilters } from "../../decode/filters.ts";
import type { Query } from "../../decode/query.ts";
import { contentTypes, emptyOk, json } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";
import { messageLines } from "../images/image-load.ts";

/** Classic builds under way that their client gave a name, so that it can end them. */
const cancellable = new Map<string, AbortController>();

const build: Handler = async (call) => {
  const id = call.query.text("buildid");
  const abort = new AbortController();
  if (id !== "") cancellable.set(id, abort);
  const forget = (): void => void (cancellable.get(id) === abort && cancellable.delete(id));
  try {
    const { messages } = await classicBuild(call, AbortSignal.any([call.signal, abort.signal]));
    const body = messageLines(withEnd(messages, forget));
    return { kind: "stream", status: 200, contentType: contentTypes.json, body };
  } catch (error) {
    forget();
    throw error;
  }
};

async function* withEnd<T>(source: AsyncIterable<T>, end: () => void): AsyncGenerator<T> {
  try {
    yield* source;
  } finally {
    end();
  }
}

const cancel: Handler = ({ query }) => {
  const id = query.text("id");
  if (id === "") throw new EngineError("invalid", "build ID not provided");
  cancellable.get(id)?.abort(new EngineError("conflict", "the build was cancelled"));
  return emptyOk;
};

const prune: Handler = async ({ engine, query }) => {
  const filters = pruneFilters(query.text("filters"));
  const age = filters.has("until") ? "until" : "unused-for";
  const [until, ...more] = filters.get(age) ?? [];
  if (more.length > 0) throw pruneError("filters expect only one value");
  for (const name of ["reserved-space", "min-free-space"]) bytesOf(query, name);
  const keepBytes = ["max-used-space", "keep-storage"]
    .map((name) => bytesOf(query, name))
    .find((value) => value !== undefined && value > 0);
  const { deleted, bytes } = await engine.builds.pruneCache({
    all: query.flag("all"),
    filters,
    ...(keepBytes === undefined ? {} : { keepBytes }),
    ...(until === undefined ? {} : { unusedForMs: milliseconds(age, until) }),
  });
  engine.events.publish({
    type: "builder",
    action: "prune",
    id: "",
    attributes: { reclaimed: String(bytes) },
  });
  return json({ CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: bytes });
};

function bytesOf(query: Query, name: string): number | undefined {
  try {
    return query.integer(name);
  } catch (error) {
    const sentence = `${name} is in bytes and expects an integer, got ${query.text(name)}: ${messageOf(error)}`;
    throw new EngineError("invalid", sentence, { cause: error });
  }
}

const pruneError = (reason: string): EngineError =>
  new EngineError("invalid", `failed to prune build cache: ${reason}`);

function pruneFilters(text: string): Filters {
  try {
    return listFilters(text, "buildPrune");
  } catch (error) {
    const why = messageOf(error);
    throw why === "invalid filter" ? error : pruneError(why);
  }
}

/** How long ago a duration or a time was, ms. */
function milliseconds(filter: string, text: string): number {
  const now = nowNs();
  try {
    return Number(now - parseTimestamp(text, now)) / 1e6;
  } catch (error) {
    const expected = `"${filter}" filter expects a duration (e.g., '24h') or a timestamp`;
    throw pruneError(`${expected}: ${messageOf(error)}`);
  }
}

export const buildRoutes: readonly Route[] = [
  { method: "POST", pattern: "/build", handler: build },
  { method: "POST", pattern: "/build/cancel", handler: cancel },
  { method: "POST", pattern: "/build/prune", handler: prune },
];
