import { EngineError, isKind } from "../../lib/errors.ts";
import { formatPlatform, hostArchitecture, parsePlatform } from "../../lib/image/platform.ts";
import { parseReference } from "../../lib/image/reference.ts";
import type { ImageConfig, Platform } from "../../types/oci.ts";
import type { Linter } from "../check/linter.ts";
import type { BuildRequest, Builds, BuildWarning } from "../contract.ts";
import type { BuildsDeps } from "../deps.ts";
import { ignoredIn } from "../dockerfile/ignored.ts";
import { openLinter } from "../dockerfile/stages/plan.ts";
import type { LanguageSettings } from "../dockerfile/stages/settings.ts";
import { CheckFailed } from "./check-failed.ts";
import { outlineOf } from "./outline.ts";
import { type Survey, survey } from "./survey.ts";
import { targetsOf } from "./targets.ts";

/** What a Dockerfile is asked without building it. */
export function openCalls(images: BuildsDeps["images"]): Pick<Builds, "check" | "outline" | "targets"> {
  const surveyOf = async (request: BuildRequest, all: boolean, linter?: Linter): Promise<Survey> =>
    survey(request.dockerfile.text, {
      settings: await settingsOf(request, linter),
      ...(linter === undefined ? {} : { linter }),
      all,
      configOf: (reference, platform) => configOf(images, request, reference, platform),
      namedContexts: request.namedContexts,
    });
  return {
    check: (request) => checked(request, (linter) => surveyOf(request, request.target === undefined, linter)),
    outline: async (request) => outlineOf(await surveyOf(request, false)),
    targets: async ({ dockerfile }) => targetsOf(dockerfile.text),
  };
}

/** What was found before a mistake ended the check is told with the mistake. */
async function checked(
  request: BuildRequest,
  run: (linter: Linter) => Promise<unknown>,
): Promise<BuildWarning[]> {
  const { dockerfile, buildArgs } = request;
  const linter = openLinter(dockerfile.text, { dockerfile: dockerfile.name, buildArgs });
  try {
    await run(linter);
    linter.requireClean();
  } catch (error) {
    if (!(error instanceof EngineError) || linter.warnings.length === 0) throw error;
    throw new CheckFailed(error, linter.warnings);
  }
  return linter.warnings;
}

const hostPlatform: Platform = { os: "linux", architecture: hostArchitecture };

async function settingsOf(request: BuildRequest, linter: Linter | undefined): Promise<LanguageSettings> {
  const [platform] = request.platforms;
  return {
    dockerfile: request.dockerfile.name,
    target: request.target,
    buildArgs: request.buildArgs,
    targetPlatform: platform === undefined ? hostPlatform : parsePlatform(platform),
    buildPlatform: hostPlatform,
    namesPlatform: request.platforms.length > 1,
    namedContexts: [...request.namedContexts.keys()],
    labels: request.labels,
    ...(await ignoredIn(request, linter)),
  };
}

/** The image that is here, else the one its registry has. */
async function configOf(
  images: BuildsDeps["images"],
  request: BuildRequest,
  reference: string,
  platform: Platform,
): Promise<ImageConfig> {
  try {
    return images.resolve(reference).config;
  } catch (error) {
    if (!isKind(error, "notFound")) throw error;
  }
  const parsed = parseReference(reference);
  const credentials = await request.registryAuth(parsed.domain);
  const progress = images.pull({
    reference: parsed,
    allTags: false,
    platform: formatPlatform(platform),
    signal: request.signal,
    ...(credentials === undefined ? {} : { credentials }),
  });
  for await (const _message of progress) request.signal.throwIfAborted();
  return images.resolve(reference).config;
}
