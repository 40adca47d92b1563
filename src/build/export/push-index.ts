import type { Repository } from "../../distribution/contract.ts";
import type { AskedForm } from "../../images/contract.ts";
import type { LayerForm } from "../../lib/compression/layer-compression.ts";
import { EngineError } from "../../lib/errors.ts";
import { parseReference, type Reference, withDefaultTag } from "../../lib/image/reference.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { Session } from "../solver/session.ts";
import { type Assembled, assemble } from "./assemble.ts";
import type { PlatformResult } from "./result.ts";
import { sendBlob } from "./send-blob.ts";

/**
 * Sends an image that the engine's store cannot hold as it is (several platforms, attestations, annotations) to the
 * registries of its names: layers, then what names them, then the tag.
 */
export async function pushIndex(
  session: Session,
  names: readonly string[],
  results: readonly PlatformResult[],
  form: LayerForm,
): Promise<Assembled> {
  let made: Assembled | undefined;
  for (const name of names)
    made = await pushTo(session, withDefaultTag(parseReference(name)), names, results, form);
  if (made === undefined) throw new EngineError("invalid", "tag is needed when pushing to registry");
  return made;
}

async function pushTo(
  session: Session,
  reference: Reference,
  names: readonly string[],
  results: readonly PlatformResult[],
  form: LayerForm,
): Promise<Assembled> {
  const { request, deps, signal } = session;
  const credentials = await request.registryAuth(reference.domain);
  const access = { signal, ...(credentials === undefined ? {} : { credentials }) };
  const target = deps.distribution.target(reference, access);
  return await sendIndex(
    session,
    { target, reference, tag: reference.tag ?? "latest" },
    names,
    results,
    form,
  );
}

/** Sends it to any place that keeps blobs by digest. */
export async function sendIndex(
  session: Session,
  place: { target: Repository; reference: Reference | undefined; tag: string },
  names: readonly string[],
  results: readonly PlatformResult[],
  form: LayerForm,
): Promise<Assembled> {
  const { deps, signal } = session;
  const { target, reference, tag } = place;
  const base = new Set(results.flatMap((each) => each.base));
  const distinct = [...new Set(results.flatMap(({ layers }) => layers))];
  const sent = distinct.map(async (diffId): Promise<[string, Descriptor]> => {
    const asked = askedForm(form, base.has(diffId));
    return [diffId, await deps.images.sendLayer({ diffId, reference, target, signal, ...asked })];
  });
  const layers = new Map(await Promise.all(sent));
  const made = assemble({ session, results, layers, names, oci: form.oci });
  await Promise.all(made.blobs.map(({ bytes }) => sendBlob(target, bytes, signal)));
  for (const { descriptor, bytes } of made.manifests)
    await target.putManifest(descriptor.digest, descriptor.mediaType, bytes);
  const { descriptor, bytes } = made.top;
  await target.putManifest(tag, descriptor.mediaType, bytes);
  return made;
}

/** A layer of the base keeps a form that it is known in, unless another is forced on it. */
const askedForm = ({ compression, force }: LayerForm, isBase: boolean): { form?: AskedForm } =>
  compression === undefined ? {} : { form: { compression, exact: force || !isBase } };
