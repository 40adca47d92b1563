import { formatPlatform, hostArchitecture } from "../../../lib/image/platform.ts";
import type { Provenance } from "../../contract.ts";
import type { Session } from "../../solver/session.ts";
import type { Material, PlatformResult, Predicate } from "../result.ts";
import { parametersOf } from "./parameters.ts";

interface Facts {
  builderId: string;
  materials: Material[];
  entryPoint: string;
  parameters: object;
  platform: string;
  invocation: string;
  started: string;
  finished: string;
  /** all that the result was made from is named */
  complete: boolean;
  reproducible: boolean;
  source: object;
}

const buildTypes = {
  "v0.2": "https://mobyproject.org/buildkit@v1",
  v1: "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
} as const;

/** How a result was made, as SLSA has it and BuildKit fills it in (docs/attestations/slsa-provenance.md). */
export function provenanceOf(session: Session, result: PlatformResult, asked: Provenance): Predicate {
  const facts = factsOf(session, result, asked);
  return {
    predicateType: `https://slsa.dev/provenance/${asked.version}`,
    predicate: asked.version === "v1" ? version1(facts) : version02(facts),
    file: "provenance.json",
  };
}

/** What clients keep beside a result that they asked for (`--metadata-file`): it is stored nowhere. */
export const recordedProvenance = (session: Session, result: PlatformResult): object =>
  version02({
    ...factsOf(session, result, { mode: "max", version: "v0.2", builderId: "", reproducible: false }),
    source: {},
  });

function factsOf(session: Session, { materials }: PlatformResult, asked: Provenance): Facts {
  const { request, startedAt, ref } = session;
  const distinct = new Map([...materials, ...session.materials].map((each) => [each.uri, each]));
  const { sourceDateEpoch } = request;
  const clamp = (ms: number): string =>
    new Date(Math.min(ms, sourceDateEpoch === undefined ? ms : sourceDateEpoch * 1000)).toISOString();
  return {
    builderId: asked.builderId,
    materials: [...distinct.values()].sort((one, other) => (one.uri < other.uri ? -1 : 1)),
    entryPoint: request.dockerfile.name,
    parameters: parametersOf(request, asked.mode),
    platform: formatPlatform({ os: "linux", architecture: hostArchitecture }),
    invocation: ref,
    started: clamp(startedAt),
    finished: clamp(Date.now()),
    // files of a client's folder are named nowhere
    complete: request.context === undefined && request.namedContexts.size === 0,
    reproducible: asked.reproducible,
    source: asked.mode === "max" ? sourceOf(session) : {},
  };
}

/** `mode=max`: the Dockerfile itself. */
const sourceOf = ({ request: { dockerfile } }: Session): object => ({
  source: {
    infos: [
      {
        filename: dockerfile.name,
        language: "Dockerfile",
        data: Buffer.from(dockerfile.text).toString("base64"),
      },
    ],
  },
});

const version02 = (facts: Facts): object => ({
  builder: { id: facts.builderId },
  buildType: buildTypes["v0.2"],
  ...(facts.materials.length === 0 ? {} : { materials: facts.materials }),
  invocation: {
    configSource: { entryPoint: facts.entryPoint },
    parameters: facts.parameters,
    environment: { platform: facts.platform },
  },
  metadata: {
    buildInvocationID: facts.invocation,
    buildStartedOn: facts.started,
    buildFinishedOn: facts.finished,
    completeness: { parameters: true, environment: true, materials: facts.complete },
    reproducible: facts.reproducible,
    "https://mobyproject.org/buildkit@v1#metadata": facts.source,
  },
});

const version1 = (facts: Facts): object => ({
  buildDefinition: {
    buildType: buildTypes.v1,
    externalParameters: { configSource: { path: facts.entryPoint }, request: facts.parameters },
    internalParameters: { builderPlatform: facts.platform },
    resolvedDependencies: facts.materials,
  },
  runDetails: {
    builder: { id: facts.builderId },
    metadata: {
      invocationId: facts.invocation,
      startedOn: facts.started,
      finishedOn: facts.finished,
      buildkit_metadata: facts.source,
      buildkit_completeness: { request: true, resolvedDependencies: facts.complete },
      ...(facts.reproducible ? { buildkit_reproducible: true } : {}),
    },
  },
});
