import type { Repository } from "../../distribution/contract.ts";
import type { Image } from "../../images/contract.ts";
import { isKind, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { formatPlatform, hostArchitecture, isSamePlatform } from "../../lib/image/platform.ts";
import {
  canonical,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../lib/image/reference.ts";
import type { Platform } from "../../types/oci.ts";
import { withManifestRequest } from "../dockerfile/base-error.ts";
import { isImageId } from "../dockerfile/stages/sources.ts";
import { imagePurl } from "../export/attest/statements.ts";
import type { Material } from "../export/result.ts";
import type { ResolvedImage } from "../graph/build-graph.ts";
import { LayoutFolder } from "../remote-cache/layout-folder.ts";
import type { Session } from "./session.ts";

/** The image a stage begins with: the one that is here, or, where it is not or `--pull` says so, its registry's. */
export async function resolveBase(
  session: Session,
  reference: string,
  platform: Platform,
): Promise<ResolvedImage> {
  const byId = session.request.classic === true && isImageId(reference);
  const shown = byId ? reference : canonical(withDefaultTag(parseReference(reference)));
  const digest = sha256(`${session.ref} metadata ${shown} ${formatPlatform(platform)}`);
  const layout = layoutOf(session, reference);
  const name = layout?.title ?? `[internal] load metadata for ${shown}`;
  const told = { digest, inputs: [], name, cached: false };
  const started = Date.now();
  session.vertex({ ...told, started });
  try {
    const image =
      layout === undefined
        ? await find(session, shown, platform)
        : await pull(session, parseReference(reference), platform, layout.store);
    for (const layer of image.layers) session.lease.hold("layer", layer);
    session.lease.hold("image", image.id);
    session.vertex({ ...told, started, completed: Date.now() });
    return { ...image, shown };
  } catch (failure) {
    const error = session.request.classic ? failure : withManifestRequest(failure, shown);
    session.vertex({ ...told, started, completed: Date.now(), error: messageOf(error) });
    throw error;
  }
}

/** Where the image of a named context is that no registry has. */
function layoutOf({ request }: Session, reference: string): { title: string; store: Repository } | undefined {
  for (const [name, named] of request.namedContexts) {
    if (!("image" in named) || named.image !== reference || named.layout === undefined) continue;
    const { layout } = named;
    const store = "store" in layout ? layout.store : new LayoutFolder(layout.folder);
    return { title: `[context ${name}] OCI load from client`, store };
  }
  return undefined;
}

/** The image as something the result was made from: by what its registry calls it, else by its own id. */
export function materialOf(
  { deps }: Session,
  { id, shown, digest: asked }: ResolvedImage,
  platform: Platform,
): Material {
  const { domain, path } = parseReference(shown);
  const own = familiarName({ domain, path });
  const named = deps.images.names(id).digests.find((name) => name.startsWith(`${own}@`));
  const digest = asked ?? named?.slice(own.length + 1) ?? id;
  return {
    uri: imagePurl(shown, formatPlatform(platform)),
    digest: { sha256: digest.slice("sha256:".length) },
  };
}

type Found = Omit<ResolvedImage, "shown">;

async function find(session: Session, reference: string, platform: Platform): Promise<Found> {
  if (!session.request.pull) {
    const here = local(session, reference);
    if (here !== undefined && fits(here, platform)) return here;
  }
  const parsed = parseReference(reference);
  // who reads a cache may need nothing of a base but its name
  return session.request.cacheFrom.length === 0
    ? await pull(session, parsed, platform)
    : await later(session, parsed, platform);
}

/** The image without its layers: they come when a step or the result needs one. */
async function later(session: Session, parsed: Reference, platform: Platform): Promise<Found> {
  const { signal, deps, imports } = session;
  const credentials = await session.request.registryAuth(parsed.domain);
  const remote = await deps.images.remoteImage({
    reference: parsed,
    platform: formatPlatform(platform),
    signal,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const { id, config, layers, reference } = remote;
  const name = `pull ${canonical(reference)}`;
  const vertex = { digest: sha256(`${session.ref} ${name}`), inputs: [], name, cached: false };
  imports.addBase(layers, async () => {
    const started = Date.now();
    session.vertex({ ...vertex, started });
    try {
      await pull(session, reference, platform);
      session.vertex({ ...vertex, started, completed: Date.now() });
    } catch (error) {
      session.vertex({ ...vertex, started, completed: Date.now(), error: messageOf(error) });
      throw error;
    }
  });
  return { id, config, layers, ...(reference.digest === undefined ? {} : { digest: reference.digest }) };
}

/** Gives the image of another architecture no tag: by that name users know what runs here. */
async function pull(
  session: Session,
  reference: Reference,
  platform: Platform,
  layout?: Repository,
): Promise<Found> {
  const { images } = session.deps;
  const credentials = layout === undefined ? await session.request.registryAuth(reference.domain) : undefined;
  let pulled: Image | undefined;
  const progress = images.pull({
    reference,
    untagged: platform.architecture !== hostArchitecture,
    arrived: (image) => {
      pulled = image;
    },
    allTags: false,
    platform: formatPlatform(platform),
    signal: session.signal,
    ...(layout === undefined ? {} : { sources: [layout] }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  for await (const _message of progress) session.signal.throwIfAborted();
  return pulled ?? images.resolve(canonical(reference));
}

function local({ deps }: Session, reference: string): Image | undefined {
  try {
    return deps.images.resolve(reference);
  } catch (error) {
    if (isKind(error, "notFound")) return undefined;
    throw error;
  }
}

/** An image that says nothing of its platform fits any. */
function fits({ config }: Image, platform: Platform): boolean {
  if (!config.architecture) return true;
  const { os, architecture, variant } = config;
  const own = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return isSamePlatform(own, platform) || own.architecture === platform.architecture;
}
