import { folderContext } from "../../build/contexts/folder.ts";
import { contextFailure } from "../../build/contexts/remote.ts";
import type { BuildRequest, UnpackedContext } from "../../build/contract.ts";
import { BuildError } from "../../build/failure.ts";
import type { Engine } from "../../engine/contract.ts";
import type { ParsedInstruction } from "../../lib/dockerfile/ast.ts";
import { DockerfileError } from "../../lib/dockerfile/error.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import { EngineError, messageOf, wrap } from "../../lib/errors.ts";
import { familiar, parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import { readBeneath } from "../../system/files/beneath.ts";
import type { JsonMessage } from "../../types/api.ts";
import type { Call } from "../call.ts";
import { ClassicText } from "./classic-text.ts";
import { HeldMessages } from "./held-messages.ts";
import { classicRequest } from "./request.ts";
import { StepsText } from "./steps-text.ts";

const dockerfileMax = 16 << 20;

interface ClassicBuild {
  messages: AsyncIterable<JsonMessage>;
}

/** `POST /build`: the tar of the body is the context. Rejects for what is wrong before anything runs. */
export async function classicBuild(call: Call, signal: AbortSignal): Promise<ClassicBuild> {
  const { engine, query } = call;
  const version = query.text("version");
  if (!["", "1", "2"].includes(version))
    throw new EngineError("invalid", `invalid version ${JSON.stringify(version)}`);
  if (version === "2")
    throw new EngineError(
      "notImplemented",
      "BuildKit through POST /build is not built in berth: clients reach it through /grpc and /session",
    );
  const request = classicRequest(call);
  request.tags.forEach(checkTag);
  const isClassic = request.classic === true;
  const context = await open(call, isClassic, signal);
  try {
    const name = query.text("dockerfile") || "Dockerfile";
    const dockerfile = { name, text: dockerfileText(context.root, name, isClassic) };
    // as the classic builder has it, clients leave out the rest before they send it
    const ignorable = request.classic ? { onlyNames: [name, ".dockerignore"] } : {};
    const own = folderContext({ root: context.root, dockerfile: name, live: false, ...ignorable });
    const build = { ...request, dockerfile, context: own, signal };
    const text = request.classic
      ? new ClassicText(removals(query))
      : new StepsText(told(dockerfile.text, request.target));
    const messages = messagesOf(engine, build, { context, text, quiet: query.flag("q") });
    return { messages: await begun(messages, call.signal) };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** Which containers go: those of steps that ended well, unless the client says otherwise. */
function removals(query: Call["query"]): { removes: boolean; removesFailed: boolean } {
  const removesFailed = query.flag("forcerm");
  return { removes: removesFailed || query.text("rm") === "" || query.flag("rm"), removesFailed };
}

/** Docker answers 500 to a bad one. */
function checkTag(tag: string): void {
  try {
    parseReference(tag);
  } catch (error) {
    throw new EngineError("internal", messageOf(error), { cause: error });
  }
}

async function open(
  { engine, query, body }: Call,
  isClassic: boolean,
  signal: AbortSignal,
): Promise<UnpackedContext> {
  const remote = query.text("remote");
  if (remote !== "" && remote !== "client-session")
    return await engine.builds.fetchContext(remote, signal).catch((error: unknown) => {
      throw isClassic ? error : contextFailure(error);
    });
  try {
    return await engine.builds.unpack(body, signal);
  } catch (error) {
    // a body that is no archive at all: Docker answers 500 without more
    if (messageOf(error) === "unexpected EOF")
      throw new EngineError("internal", "unexpected EOF", { cause: error });
    throw wrap("Error processing tar file", error);
  }
}

function dockerfileText(root: string, name: string, isClassic: boolean): string {
  const text =
    readBeneath(root, name, dockerfileMax) ??
    (name === "Dockerfile" ? readBeneath(root, "dockerfile", dockerfileMax) : undefined);
  if (text !== undefined) return text;
  throw isClassic
    ? new EngineError("internal", `Cannot locate specified Dockerfile: ${name}`)
    : new EngineError("invalid", `failed to read dockerfile: open ${name}: no such file or directory`);
}

/** The file as a whole is wrong. */
function fileFailure(error: unknown): unknown {
  const message = messageOf(error);
  if (message === "the Dockerfile cannot be empty" && error instanceof EngineError)
    return new EngineError(error.kind, "the Dockerfile (Dockerfile) cannot be empty");
  const cause = error instanceof BuildError ? error.cause : error;
  const isSyntax =
    cause instanceof DockerfileError && !/^(dockerfile parse error|no build stage)/.test(message);
  return isSyntax ? wrap("failed to parse Dockerfile", error) : error;
}

/** The instructions from the first FROM to the end of the target's stage; all where the target is not found. */
function told(text: string, target: string | undefined): ParsedInstruction[] {
  let all: ParsedInstruction[];
  try {
    all = parseDockerfile(text).instructions;
  } catch (error) {
    throw wrap("dockerfile parse error", error);
  }
  const isFrom = ({ name }: ParsedInstruction): boolean => name.toLowerCase() === "from";
  const first = all.findIndex(isFrom);
  const rest = first < 0 ? all : all.slice(first);
  if (target === undefined) return rest;
  const stages = rest.flatMap((instruction, index) => (isFrom(instruction) ? [{ instruction, index }] : []));
  const at = stages.findIndex(
    ({ instruction }, number) =>
      String(number) === target ||
      /\sas\s+(\S+)\s*$/i.exec(instruction.rest)?.[1]?.toLowerCase() === target.toLowerCase(),
  );
  return at < 0 ? rest : rest.slice(0, stages[at + 1]?.index ?? rest.length);
}

async function* messagesOf(
  engine: Engine,
  request: BuildRequest,
  { context, text, quiet }: { context: UnpackedContext; text: ClassicText | StepsText; quiet: boolean },
): AsyncGenerator<JsonMessage> {
  const held = new HeldMessages();
  let isBegun = false;
  try {
    const run = engine.builds.build(request);
    for await (const event of run.events) {
      isBegun ||= event.kind === "classic";
      if (quiet) held.add(text.event(event));
      else yield* text.event(event);
    }
    const result = await run.result;
    if (quiet) for (const { image } of result.images) yield { stream: `${image.id}\n` };
    else yield* text.result(result, request.tags.map(shownTag));
  } catch (error) {
    if (request.classic && !isBegun) throw fileFailure(error);
    yield* held.messages;
    yield* text.failure(error);
  } finally {
    await context.close();
  }
}

/**
 * Waits for the first message: what is wrong with the whole file is a status of its own then. `messages` closes the context
 * however it ends.
 */
async function begun(
  messages: AsyncGenerator<JsonMessage>,
  client: AbortSignal,
): Promise<AsyncIterable<JsonMessage>> {
  const first = await messages.next();
  if (client.aborted) {
    // nobody would begin to read, and what never began does not run its end
    await messages.return(undefined);
    throw new EngineError("unavailable", "the client left before the build had begun");
  }
  async function* all(): AsyncGenerator<JsonMessage> {
    try {
      if (first.done) return;
      yield first.value;
      yield* messages;
    } finally {
      await messages.return(undefined);
    }
  }
  return all();
}

const shownTag = (tag: string): string => familiar(withDefaultTag(parseReference(tag)));
