import { familiar, parseReference, withDefaultTag } from "../../../lib/image/reference.ts";
import type { Descriptor } from "../../../types/oci.ts";
import type { Session } from "../../solver/session.ts";
import type { PlatformResult, Predicate } from "../result.ts";
import { provenanceOf } from "./provenance.ts";
import { sbomOf } from "./sbom.ts";

/** An in-toto statement (https://github.com/in-toto/attestation): the predicate, and what it is about. */
export interface Statement {
  _type: string;
  predicateType: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicate: object;
}

/** What was asked for about one platform's result. */
export async function predicatesOf(session: Session, result: PlatformResult): Promise<Predicate[]> {
  const { sbom, provenance } = session.request.attestations;
  return [
    ...(sbom === undefined ? [] : [await sbomOf(session, result)]),
    ...(provenance === undefined ? [] : [provenanceOf(session, result, provenance)]),
  ];
}

export function statementsFor(
  names: readonly string[],
  { predicates = [], platform }: PlatformResult,
  { digest }: Descriptor,
): Statement[] {
  const subject = names.map((name) => ({
    name: imagePurl(name, platform),
    digest: { sha256: digest.slice("sha256:".length) },
  }));
  return predicates.map(({ predicateType, predicate }) => ({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType,
    subject,
    predicate,
  }));
}

/** A package URL of an image (https://github.com/package-url/purl-spec): `pkg:docker/busybox@latest?platform=…`. */
export function imagePurl(name: string, platform: string): string {
  const { digest, ...reference } = parseReference(name);
  const tagged = digest === undefined ? withDefaultTag(reference) : reference;
  const { tag } = tagged;
  const path = familiar(tag === undefined ? tagged : { domain: tagged.domain, path: tagged.path });
  const query = [
    ...(digest === undefined ? [] : [`digest=${digest}`]),
    `platform=${encodeURIComponent(platform)}`,
  ];
  const at = tag === undefined ? "" : `@${encodeURIComponent(tag)}`;
  return `pkg:docker/${path}${at}?${query.join("&")}`;
}
