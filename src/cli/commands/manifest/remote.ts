import { ApiError } from "../../../client/errors.ts";
import { canonical, type Reference } from "../../../lib/image/reference.ts";
import type { Platform } from "../../../types/oci.ts";
import { registryAuth } from "../../credentials/registry-auth.ts";
import { CliError } from "../../errors.ts";
import type { Session } from "../../session.ts";

/** A manifest or index as the engine found it at its registry. */
export interface RemoteManifest {
  Ref: string;
  Descriptor: { mediaType: string; digest: string; size: number; platform?: Partial<Platform> };
  /** base64 */
  Raw: string;
}

const pathOf = (reference: Reference): string =>
  `/berth/manifests/${encodeURIComponent(canonical(reference))}`;

export async function readRemote(session: Session, reference: Reference): Promise<RemoteManifest> {
  try {
    return await session.client.json<RemoteManifest>("GET", pathOf(reference), {
      headers: await registryAuth(session, reference.domain),
    });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new CliError(`no such manifest: ${canonical(reference)}`);
    throw error;
  }
}

/** Puts a manifest at its registry, with the blobs of another repository there (`From`, its path); answers its digest. */
export async function putRemote(
  session: Session,
  reference: Reference,
  json: { MediaType: string; Raw: string; From?: string },
): Promise<string> {
  const headers = await registryAuth(session, reference.domain);
  const { Digest } = await session.client.json<{ Digest: string }>("PUT", pathOf(reference), {
    headers,
    json,
  });
  return Digest;
}
