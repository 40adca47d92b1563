import { sha256 } from "../../../lib/image/digest.ts";
import type { FoundPackage, FoundPackages } from "../../copy/contents/packages.ts";
import type { Session } from "../../solver/session.ts";
import type { PlatformResult, Predicate } from "../result.ts";

/**
 * What is in a result, as an SPDX 2.3 document (https://spdx.github.io/spdx-spec/v2.3/): the packages that package
 * managers' own records name. BuildKit runs an image that scans; this reads the records itself.
 */
export async function sbomOf(session: Session, result: PlatformResult): Promise<Predicate> {
  const root = await session.view(result.layers);
  const started = Date.now();
  const found = await session.deps.workers.call("packages", { root });
  session.signal.throwIfAborted();
  if (found.limits.length > 0) tellIncomplete(session, result, { started, text: incomplete(found) });
  return {
    predicateType: "https://spdx.dev/Document",
    predicate: documentOf(session, found),
    file: "sbom.spdx.json",
  };
}

const incomplete = ({ packages, limits }: FoundPackages): string =>
  `the SBOM is incomplete: ${packages.length} packages are listed and others may be missing, for ${limits.join(", and ")}.`;

/** As a step of its own: who reads only the progress is to know it, too. */
function tellIncomplete(
  session: Session,
  { platform }: PlatformResult,
  { started, text }: { started: number; text: string },
): void {
  const digest = sha256(`${session.ref} sbom ${platform}`);
  const vertex = { digest, inputs: [], name: `[${platform}] generating sbom`, cached: false, started };
  session.vertex(vertex);
  const data = Buffer.from(`WARNING: ${text}\n`);
  session.emit({ kind: "log", vertex: digest, stream: 2, data, time: Date.now() });
  session.vertex({ ...vertex, completed: Date.now() });
}

const documentId = "SPDXRef-DOCUMENT";

function documentOf(session: Session, found: FoundPackages): object {
  const { packages, limits } = found;
  const { sourceDateEpoch } = session.request;
  const created = sourceDateEpoch === undefined ? session.startedAt : sourceDateEpoch * 1000;
  const told = packages.map(packageOf);
  const content = sha256(JSON.stringify(told)).slice("sha256:".length);
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: documentId,
    name: "sbom",
    documentNamespace: `https://spdx.org/spdxdocs/berth-${content}`,
    creationInfo: {
      creators: ["Tool: berth"],
      created: new Date(created).toISOString().replace(/\.\d+Z$/, "Z"),
      ...(limits.length === 0 ? {} : { comment: incomplete(found) }),
    },
    packages: told,
    relationships: told.map(({ SPDXID }) => ({
      spdxElementId: documentId,
      relatedSpdxElement: SPDXID,
      relationshipType: "DESCRIBES",
    })),
  };
}

function packageOf({ type, name, version, purl, license, source }: FoundPackage) {
  const id = sha256(purl).slice("sha256:".length, "sha256:".length + 16);
  return {
    name,
    SPDXID: `SPDXRef-Package-${type}-${name.replace(/[^a-zA-Z0-9.-]/g, "-")}-${id}`,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    ...(source === "" ? {} : { sourceInfo: `acquired package info from ${source}` }),
    licenseConcluded: "NOASSERTION",
    licenseDeclared: license === "" ? "NOASSERTION" : license,
    copyrightText: "NOASSERTION",
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  };
}
