import { folderContext } from "../../build/contexts/folder.ts";
import type { BuildRequest, UnpackedContext } from "../../build/contract.ts";
import type { Engine } from "../../engine/contract.ts";
import type { ParsedInstruction } from "../../lib/dockerfile/ast.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import { EngineError, wrap } from "../../lib/errors.ts";
import { familiar, parseReference, withDefaultTag } from "../../lib/reference.ts";
import { readBeneath } from "../../system/beneath.ts";
import type { JsonMessage } from "../../types/api.ts";
import type { Call } from "../call.ts";
import { ClassicText, failureMessage } from "./classic-text.ts";
import { classicRequest } from "./request.ts";

const dockerfileMax = 16 << 20;

export interface ClassicBuild {
  messages: AsyncIterable<JsonMessage>;
}

/** `POST /build`: the tar of the body is the context. Rejects for what is wrong before anything runs. */
export async function classicBuild(call: Call, signal: AbortSignal): Promise<ClassicBuild> {
  const { engine, query } = call;
  if (query.text("version") === "2")
    throw new EngineError(
      "notImplemented",
      "BuildKit through POST /build is not built in berth: clients reach it through /grpc and /session",
    );
  const request = classicRequest(call);
  for (const tag of request.tags) parseReference(tag);
  const context = await open(call, signal);
  try {
    const name = query.text("dockerfile") || "Dockerfile";
    const dockerfile = { name, text: dockerfileText(context.root, name) };
    const instructions = told(dockerfile.text, request.target);
    const own = folderContext({ root: context.root, dockerfile: name, live: false });
    const build = { ...request, dockerfile, context: own, signal };
    return { messages: messagesOf(engine, build, { context, instructions, quiet: query.flag("q") }) };
  } catch (error) {
    await context.close();
    throw error;
  }
}

async function open({ engine, query, body }: Call, signal: AbortSignal): Promise<UnpackedContext> {
  const remote = query.text("remote");
  if (remote !== "" && remote !== "client-session") return await engine.builds.fetchContext(remote, signal);
  try {
    return await engine.builds.unpack(body, signal);
  } catch (error) {
    throw wrap("Error processing tar file", error);
  }
}

function dockerfileText(root: string, name: string): string {
  const text =
    readBeneath(root, name, dockerfileMax) ??
    (name === "Dockerfile" ? readBeneath(root, "dockerfile", dockerfileMax) : undefined);
  if (text !== undefined) return text;
  throw new EngineError("internal", `Cannot locate specified Dockerfile: ${name}`);
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
  {
    context,
    instructions,
    quiet,
  }: { context: UnpackedContext; instructions: ParsedInstruction[]; quiet: boolean },
): AsyncGenerator<JsonMessage> {
  const text = new ClassicText(instructions);
  try {
    const run = engine.builds.build(request);
    for await (const event of run.events) if (!quiet) yield* text.event(event);
    const result = await run.result;
    if (quiet) for (const { image } of result.images) yield { stream: `${image.id}\n` };
    else yield* text.result(result, request.tags.map(shownTag));
  } catch (error) {
    yield failureMessage(error);
  } finally {
    await context.close();
  }
}

const shownTag = (tag: string): string => familiar(withDefaultTag(parseReference(tag)));
