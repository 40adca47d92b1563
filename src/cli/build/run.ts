import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { goBool } from "../../lib/go/bool.ts";
import type { LocalBuildRequest, WireLines, WireWarning } from "../../types/local-build.ts";
import { CliError } from "../errors.ts";
import { fileError } from "../run/key-value-files.ts";
import type { Session } from "../session.ts";
import { isTerminal } from "../stdio.ts";
import { type BuildSources, readSources, type StreamedContext } from "./context/sources.ts";
import { openDisplay } from "./display/open.ts";
import { warning } from "./display/raw-json.ts";
import { warningsText } from "./display/warnings.ts";
import { optionError, solveError } from "./failure.ts";
import type { BuildFlags } from "./flags.ts";
import {
  type BuildFailure,
  type BuildOutcome,
  buildLocally,
  buildsInPlace,
  type LocalBuild,
  NotLocal,
} from "./local.ts";
import { cacheOutputs } from "./options/caches.ts";
import { parseCall } from "./options/call.ts";
import { checkIdFile, checkPlaces, type Output, parseOutputs } from "./options/outputs.ts";
import { OutputFiles } from "./output-files.ts";
import { type Asked, checkAnswer, outlineAnswer, targetsAnswer } from "./report/answers.ts";
import { placeOf } from "./report/column.ts";
import { excerpt } from "./report/excerpt.ts";
import { Profile } from "./report/profile.ts";
import { localRequest } from "./request.ts";

/** `berth build`: on the engine's machine the folder is read in place, elsewhere it goes as a tar. */
export async function runBuild(session: Session, context: string, flags: BuildFlags): Promise<number> {
  await checkFlags(session, flags);
  const { output, load, push } = flags;
  const outputs = parseOutputs({ output, load, push, hasTags: flags.tag.length > 0 });
  checkPlaces(outputs);
  if (flags.iidfile) {
    checkIdFile(outputs);
    // a build that fails leaves no other's ID behind
    await rm(flags.iidfile, { force: true });
  }
  const sources = await readSources(context, flags.file);
  const display = openDisplay(flags, () => ("dockerfile" in sources ? sources.dockerfile.text : ""));
  if (!isLocal(session)) return classic(session, sources, flags, outputs);
  const tar = "dockerfile" in sources ? undefined : sources.tar;
  // what came on stdin is read once
  if (tar !== undefined && !(await buildsInPlace(session))) return classic(session, sources, flags, outputs);
  const request = await localRequest(session, flags, sources, outputs);
  const profile = new Profile(display);
  try {
    const files = new OutputFiles([...outputs, ...cacheOutputs(flags)]);
    const build = await buildLocally(session, { request, tar }, profile, files);
    await files.end();
    return await finish(session, {
      flags,
      request,
      outputs,
      build,
      profile,
      path: "path" in sources ? sources.path : undefined,
    });
  } catch (error) {
    if (!(error instanceof NotLocal)) throw error;
    return classic(session, sources, flags, outputs);
  }
}

const isLocal = (session: Session): boolean => session.client.host.kind === "unix";

async function classic(
  session: Session,
  sources: BuildSources | StreamedContext,
  flags: BuildFlags,
  outputs: readonly Output[],
): Promise<number> {
  const { buildRemotely } = await import("./classic.ts");
  return buildRemotely(session, sources, flags, outputs);
}

const progressModes: readonly string[] = ["auto", "none", "plain", "quiet", "rawjson", "tty", ""];

async function checkFlags(session: Session, flags: BuildFlags): Promise<void> {
  const { progress, quiet, onError, metadataFile, builder } = flags;
  // a builder that buildx made is taken for the one there is
  const known = builder === "default" || existsSync(`${session.configFolder}/buildx/instances/${builder}`);
  if (builder !== "" && !known) throw optionError(`no builder ${JSON.stringify(builder)} found`);
  if (!progressModes.includes(progress)) throw optionError(`invalid progress mode ${progress}`);
  if (quiet && !["auto", "none", "quiet", ""].includes(progress))
    throw optionError(`progress=${progress} and quiet cannot be used together`);
  if (!["fail", "shell", ""].includes(onError))
    throw optionError(`invalid --on-error ${JSON.stringify(onError)}: fail or shell`);
  const folder = dirname(metadataFile || ".");
  if (!existsSync(folder))
    throw optionError(`invalid output path: stat ${folder}: no such file or directory`);
}

interface Ended {
  flags: BuildFlags;
  request: LocalBuildRequest;
  outputs: readonly Output[];
  build: LocalBuild;
  profile: Profile;
  /** of the Dockerfile */
  path: string | undefined;
}

async function finish(session: Session, ended: Ended): Promise<number> {
  const { flags, request, build } = ended;
  const { outcome, warnings, dockerfile } = build;
  if (request.call === "check") return answerCheck(session, ended);
  if (!isQuiet(flags)) tellWarnings(session, warnings, dockerfile.text);
  if (outcome.kind === "error") return failed(session, ended, outcome);
  if (outcome.kind === "outline" || outcome.kind === "targets") return answer(session, ended, outcome);
  tellProfile(session, ended);
  await writeResults(session, ended, outcome);
  return 0;
}

function tellProfile(session: Session, { flags, profile }: Ended): void {
  const text = profile.text(flags);
  if (text !== "") session.err(`\n${text}`);
}

/** With `--on-error shell` what the step has written was kept: a shell in it, or on no terminal how to come to one. */
async function failed(session: Session, ended: Ended, outcome: BuildFailure): Promise<number> {
  const { flags, build } = ended;
  tellProfile(session, ended);
  const error = failure(outcome, build);
  if (outcome.kept === undefined) throw error;
  session.err(error.message);
  const { enterFailedStep } = await import("./failed-step.ts");
  await enterFailedStep(session, outcome.kept, flags);
  return 1;
}

const isQuiet = ({ quiet, progress }: BuildFlags): boolean =>
  quiet || progress === "quiet" || progress === "none" || progress === "rawjson";

function tellWarnings(session: Session, warnings: readonly WireWarning[], dockerfile: string): void {
  const text = warningsText(warnings, dockerfile, session.globals.debug);
  if (text !== "") session.err(text.replace(/\n$/, ""));
}

/** The excerpt belongs to the sentence, below it in what is thrown and above it on the screen. */
const failure = (error: BuildFailure, { dockerfile }: LocalBuild): CliError =>
  new CliError(excerpts(error, dockerfile, dockerfile.name) + solveError(error.message).message);

/** Scripts get what docker's client prints; a person at a terminal also sees which word is meant. */
function excerpts({ message, lines }: BuildFailure, { text }: { text: string }, shown: string): string {
  const place = (each: WireLines) => (isTerminal(2) ? placeOf(message, text, each) : undefined);
  return lines.map((each) => excerpt(shown, text, each, place(each))).join("");
}

const asked = ({ flags, build: { dockerfile }, path }: Ended): Asked => ({
  dockerfile,
  shown: shownPath(path, dockerfile.name),
  json: parseCall(flags.call).json,
});

/** Below the current folder: the path from there. */
function shownPath(path: string | undefined, name: string): string {
  const from = path === undefined ? ".." : relative(".", path);
  return from.startsWith("..") ? name : from;
}

function answerCheck(session: Session, ended: Ended): number {
  const { outcome, warnings } = ended.build;
  const told = asked(ended);
  if (outcome.kind !== "error") {
    const { text, code } = checkAnswer(warnings, told);
    session.write(text);
    return parseCall(ended.flags.call).ignoresStatus ? 0 : code;
  }
  if (warnings.length > 0) session.out(checkAnswer(warnings, told).text);
  session.err(`ERROR: ${outcome.message}\n${excerpts(outcome, told.dockerfile, told.shown)}`);
  return 1;
}

function answer(session: Session, ended: Ended, outcome: Exclude<BuildOutcome, { kind: "result" }>): number {
  session.write(
    outcome.kind === "outline"
      ? outlineAnswer(outcome.outline, asked(ended))
      : targetsAnswer(outcome.targets, asked(ended)),
  );
  return 0;
}

async function writeResults(
  session: Session,
  { flags, outputs, build }: Ended,
  { ref, response, imageIds, provenance }: Extract<BuildOutcome, { kind: "result" }>,
): Promise<void> {
  const id =
    response["containerimage.config.digest"] ?? imageIds[0] ?? response["containerimage.digest"] ?? "";
  if (flags.iidfile) await writeResult(flags.iidfile, id, "writing image ID file: ");
  if (flags.metadataFile) {
    const facts = {
      ...decoded(response),
      ...provenanceFacts(provenance),
      ...warningFacts(build),
      "buildx.build.ref": `default/default/${ref}`,
    };
    const sorted = Object.fromEntries(Object.entries(facts).sort(([one], [other]) => (one < other ? -1 : 1)));
    await writeResult(flags.metadataFile, JSON.stringify(sorted, undefined, 2), "");
  }
  const tellsId = flags.quiet || flags.progress === "quiet";
  if (tellsId && outputs.every(({ dest }) => dest !== "-")) session.out(id);
}

/** As buildx names and shortens it; `BUILDX_METADATA_PROVENANCE` is its variable for all of it, or none. */
function provenanceFacts(provenance: Record<string, object> = {}): Record<string, object> {
  const mode = process.env["BUILDX_METADATA_PROVENANCE"] ?? "";
  if (["disabled", "false", "0", "f"].includes(mode.toLowerCase())) return {};
  const platforms = Object.entries(provenance);
  return Object.fromEntries(
    platforms.map(([platform, predicate]) => {
      const { metadata, ...rest } = predicate as { metadata?: unknown };
      const name = platforms.length === 1 ? "" : `/${platform}`;
      return [`buildx.build.provenance${name}`, mode === "max" ? { ...rest, metadata } : rest];
    }),
  );
}

/** Only where buildx's variable asks for them. */
function warningFacts({ warnings, reader, dockerfile }: LocalBuild): Record<string, object> {
  if (goBool(process.env["BUILDX_METADATA_WARNINGS"] ?? "") !== true || warnings.length === 0) return {};
  return { "buildx.build.warnings": warnings.map((each) => warning(each, reader, dockerfile.text)) };
}

/** Descriptors travel as base64 of their JSON; files have them as they are. */
function decoded(response: Record<string, string>): Record<string, unknown> {
  const { "containerimage.descriptor": descriptor, ...rest } = response;
  if (descriptor === undefined) return rest;
  return { ...rest, "containerimage.descriptor": JSON.parse(Buffer.from(descriptor, "base64").toString()) };
}

async function writeResult(path: string, text: string, doing: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw optionError(doing + fileError("open", path, error).message);
  }
}
