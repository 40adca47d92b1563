import { messageOf } from "../../../../lib/errors.ts";
import { parse } from "../../../../lib/go/json/decode.ts";
import { digestProblem, sha256 } from "../../../../lib/image/digest.ts";
import { parseReference, type Reference } from "../../../../lib/image/reference.ts";
import { mediaTypes } from "../../../../types/oci.ts";
import { CliError } from "../../../errors.ts";
import type { RemoteManifest } from "../remote.ts";
import { goJson, type IndexEntry, shownIndex, shownPlatform } from "../shown.ts";

/** One image of a list, in the form of docker's files (`ImageManifest` of its cli/manifest/types). */
export interface LocalManifest {
  Ref: string;
  Descriptor: IndexEntry;
  /** base64; clients of before 2022 kept the value below alone */
  Raw?: string;
  SchemaV2Manifest?: unknown;
  OCIManifest?: unknown;
}

/** Of what a registry has. An index is refused: a list has images. */
export function fromRemote({ Ref, Descriptor, Raw }: RemoteManifest): LocalManifest {
  const { mediaType, digest, size, platform } = Descriptor;
  if (mediaType === mediaTypes.dockerIndex || mediaType === mediaTypes.ociIndex)
    throw new CliError(`${Ref} is a manifest list`);
  if (mediaType !== mediaTypes.dockerManifest && mediaType !== mediaTypes.ociManifest)
    throw new CliError(`${Ref} is not a manifest`);
  const content: unknown = JSON.parse(Buffer.from(Raw, "base64").toString("utf8"));
  return {
    Ref,
    Descriptor: { mediaType, digest, size, platform: shownPlatform(platform) },
    Raw,
    [mediaType === mediaTypes.ociManifest ? "OCIManifest" : "SchemaV2Manifest"]: content,
  };
}

/** A file's text; what is malformed is refused, in Go's words where it is not JSON. */
export function parseEntry(text: string, path: string): LocalManifest {
  let value: Partial<LocalManifest> | null;
  try {
    value = parse(text) as Partial<LocalManifest> | null;
  } catch (error) {
    throw new CliError(messageOf(error).replace(/^invalid JSON: /, ""), 1, { cause: error });
  }
  const { Ref, Descriptor, Raw } = value ?? {};
  if (
    typeof Ref !== "string" ||
    typeof Descriptor?.mediaType !== "string" ||
    typeof Descriptor.digest !== "string" ||
    typeof Descriptor.size !== "number" ||
    (Raw !== undefined && typeof Raw !== "string")
  )
    throw new CliError(`invalid manifest file ${path}`);
  return { ...value, Ref, Descriptor };
}

/** As docker orders the fields. */
export const entryText = (entry: LocalManifest): string => goJson(shownEntry(entry));

export function shownEntry({ Ref, Descriptor, Raw, SchemaV2Manifest, OCIManifest }: LocalManifest): unknown {
  const { mediaType, digest, size, platform } = Descriptor;
  return {
    Ref,
    Descriptor: { mediaType, digest, size, platform: shownPlatform(platform) },
    Raw,
    SchemaV2Manifest,
    OCIManifest,
  };
}

/** The bytes that its digest tells, in base64. */
export function rawOf({ Ref, Descriptor, Raw, SchemaV2Manifest, OCIManifest }: LocalManifest): string {
  const bytes = Raw
    ? Buffer.from(Raw, "base64")
    : Buffer.from(JSON.stringify(SchemaV2Manifest ?? OCIManifest, undefined, SchemaV2Manifest ? 3 : 2) ?? "");
  const digest = sha256(bytes);
  if (digest !== Descriptor.digest)
    throw new CliError(`internal digest mismatch for ${Ref}: expected ${Descriptor.digest}, got ${digest}`);
  return bytes.toString("base64");
}

/** The index of a list: OCI's where its first image is, else docker's list, as docker's client decides. `failure` begins its errors. */
export function indexOf(
  target: Reference,
  entries: readonly LocalManifest[],
  failure = "",
): { mediaType: string; text: string } {
  for (const { Ref, Descriptor } of entries) {
    const { domain } = parseReference(Ref);
    if (domain !== target.domain)
      throw new CliError(
        `${failure}cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`,
      );
    const problem = digestProblem(Descriptor.digest);
    if (problem)
      throw new CliError(`${failure}digest parse of image ${JSON.stringify(Ref)} failed: ${problem}`);
  }
  const isOci = entries[0]?.Descriptor.mediaType === mediaTypes.ociManifest;
  const mediaType = isOci ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  return {
    mediaType,
    text: goJson(
      shownIndex(
        mediaType,
        entries.map(({ Descriptor }) => Descriptor),
      ),
      3,
    ),
  };
}
