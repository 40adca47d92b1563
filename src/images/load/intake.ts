import { createHash } from "node:crypto";
import { EngineError, isKind } from "../../lib/errors.ts";
import { type ImagesContext, layerLimits } from "../deps.ts";
import { type Member, readMembers } from "./member.ts";
import { peek, sniff, sniffLength } from "./sniff.ts";

/** A layer of the archive as it was found. */
export interface FoundLayer {
  diffId: string;
  /** digest of the member's bytes, which are compressed or not */
  digest: string;
}

/** All of an archive: its small JSON documents, its layers (unpacked already), its links. By path. */
export interface Intake {
  documents: Map<string, Uint8Array>;
  layers: Map<string, FoundLayer>;
  /** what could not be unpacked, and why: an error only once something needs it */
  broken: Map<string, EngineError>;
  links: Map<string, string>;
  /** whether a layer is here already: an archive between two engines leaves those out */
  isHere(diffId: string): boolean;
}

/** Real ones are below 100 KB; a manifest of 100 MB is an attack on memory. */
const documentSizeMax = 8 * 1024 * 1024;
const documentsSizeMax = 64 * 1024 * 1024;

interface IntakeOptions {
  /** keeps a layer from being collected */
  lease: { hold(kind: "layer", diffId: string): void };
  signal?: AbortSignal;
  /** told while a layer is unpacked: its name, bytes done, bytes in all */
  progress?: (name: string, current: number, total: number) => void;
}

/**
 * Takes an archive in, in one pass and whatever the order of its members: a layer is unpacked as it streams by, before
 * it is known which image it belongs to, so that its bytes are written once. Layers that are here are skipped.
 */
export async function takeIn(
  context: ImagesContext,
  source: AsyncIterable<Uint8Array>,
  options: IntakeOptions,
): Promise<Intake> {
  const intake: Intake = {
    documents: new Map(),
    layers: new Map(),
    broken: new Map(),
    links: new Map(),
    isHere: (diffId) => context.snapshots.layer(diffId) !== undefined,
  };
  let documentsSize = 0;
  for await (const member of readMembers(source)) {
    options.signal?.throwIfAborted();
    if (member.linksTo !== undefined) {
      intake.links.set(member.name, member.linksTo);
      continue;
    }
    const { start, all } = await peek(member.data, sniffLength);
    const { kind, compression } = sniff(start);
    if (kind === "layer" || (kind === "unknown" && member.size > documentSizeMax))
      await takeLayer(context, intake, { member, all, compressed: compression !== "none", options });
    else {
      documentsSize += member.size;
      intake.documents.set(member.name, await takeDocument(member, all, documentsSize));
    }
  }
  return intake;
}

async function takeDocument(
  member: Member,
  all: AsyncIterable<Uint8Array>,
  total: number,
): Promise<Uint8Array> {
  if (member.size > documentSizeMax || total > documentsSizeMax)
    throw new EngineError(
      "tooLarge",
      `${member.name} is ${member.size} bytes: the archive's JSON is over the limit of ${documentSizeMax} bytes a file, ${documentsSizeMax} in all`,
    );
  return Buffer.concat(await Array.fromAsync(all));
}

interface LayerMember {
  member: Member;
  all: AsyncIterable<Uint8Array>;
  compressed: boolean;
  options: IntakeOptions;
}

async function takeLayer(
  context: ImagesContext,
  intake: Intake,
  { member, all, compressed, options }: LayerMember,
): Promise<void> {
  const named = /(?:^|\/)blobs\/sha256\/([0-9a-f]{64})$/.exec(member.name)?.[1];
  const digest = named === undefined ? undefined : `sha256:${named}`;
  if (!compressed && digest !== undefined && context.snapshots.layer(digest)) {
    options.lease.hold("layer", digest);
    intake.layers.set(member.name, { diffId: digest, digest });
    return; // the reader skips its bytes
  }
  const hash = compressed ? createHash("sha256") : undefined;
  try {
    const { diffId } = await context.snapshots.apply(hash ? hashing(all, hash) : all, {
      ...layerLimits(context),
      ...(options.signal ? { signal: options.signal } : {}),
      progress: (bytes) => options.progress?.(member.name, bytes, member.size),
    });
    options.lease.hold("layer", diffId);
    intake.layers.set(member.name, { diffId, digest: hash ? `sha256:${hash.digest("hex")}` : diffId });
  } catch (error) {
    if (!isKind(error, "invalid")) throw error;
    intake.broken.set(member.name, error);
  }
}

async function* hashing(
  data: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const bytes of data) {
    hash.update(bytes);
    yield bytes;
  }
}
