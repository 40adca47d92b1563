import type { Repository } from "../../distribution/contract.ts";
import type { Image, Images } from "../../images/contract.ts";
import { layerForm } from "../../lib/compression/layer-compression.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { canonical, parseReference } from "../../lib/image/reference.ts";
import type { BuildOutput, BuildResult, OutputSink } from "../contract.ts";
import type { Session } from "../solver/session.ts";
import { type Assembled, isIndex } from "./assemble.ts";
import { predicatesOf } from "./attest/statements.ts";
import { copyTrees, filesTar, treesOf } from "./files.ts";
import { assembleLayout, layoutArchive } from "./oci-archive.ts";
import { pushAll } from "./push.ts";
import { pushIndex, sendIndex } from "./push-index.ts";
import type { PlatformResult } from "./result.ts";

/** Attestations are made once, however many outputs there are. */
function withPredicates(session: Session, results: readonly PlatformResult[]): Promise<PlatformResult[]> {
  return Promise.all(
    results.map(async (result) => ({ ...result, predicates: await predicatesOf(session, result) })),
  );
}

/** Gives the results where they are asked for. */
export async function exportBuild(
  session: Session,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const attested = await withPredicates(session, results);
  const total: BuildResult = { images: [], response: {} };
  if (session.request.outputs.some(({ type }) => type !== "cacheonly"))
    await session.imports.bring(results.flatMap(({ layers }) => layers));
  for (const [index, output] of session.request.outputs.entries()) {
    const one = await told(session, output, index, attested);
    total.images.push(...one.images);
    Object.assign(total.response, one.response);
  }
  return total;
}

const titles = {
  image: "exporting to image",
  docker: "exporting to docker image format",
  oci: "exporting to oci image format",
  tar: "sending tarball",
  local: "copying files",
  cacheonly: "",
} as const;

/** As a step of the build, in BuildKit's words. */
async function told(
  session: Session,
  output: BuildOutput,
  index: number,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const work = (): Promise<BuildResult> => exportTo(session, output, results);
  const name = titles[output.type];
  if (name === "") return await work();
  const vertex = { digest: sha256(`${session.ref} export ${index}`), inputs: [], name, cached: false };
  const started = Date.now();
  session.vertex({ ...vertex, started });
  try {
    const result = await work();
    if (output.type === "image")
      tellImage(session, output, results, { vertex: vertex.digest, images: result.images, started });
    session.vertex({ ...vertex, started, completed: Date.now() });
    return result;
  } catch (error) {
    session.vertex({ ...vertex, started, completed: Date.now(), error: messageOf(error) });
    throw error;
  }
}

/** What became of the image, as BuildKit counts it. */
function tellImage(
  session: Session,
  { attributes }: BuildOutput,
  results: readonly PlatformResult[],
  { vertex, images, started }: { vertex: string; images: BuildResult["images"]; started: number },
): void {
  const [first] = images;
  const done = [
    ...(results.some(({ layers }) => layers.length > 0) ? ["exporting layers"] : []),
    ...(first === undefined ? [] : [`writing image ${first.image.id}`]),
    ...namesOf(session, attributes).map((name) => `naming to ${fullName(name)}`),
  ];
  const status = { vertex, current: 0, total: 0, started, completed: Date.now() };
  for (const id of done) session.emit({ kind: "status", status: { id, ...status } });
}

const nothing: BuildResult = { images: [], response: {} };

async function exportTo(
  session: Session,
  output: BuildOutput,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  switch (output.type) {
    case "image":
      return isIndex(session, results)
        ? await toRegistry(session, output.attributes, results)
        : await toImage(session, output.attributes, only(results));
    case "docker":
    case "oci":
      return "store" in output
        ? await toStore(session, output, results)
        : await toArchive(session, output, results);
    case "tar":
      await output.sink.write(filesTar(session, results, output.attributes));
      return nothing;
    case "local":
      await copyTrees(session, output.sink, treesOf(results, output.attributes));
      return nothing;
    case "cacheonly":
      return nothing;
  }
}

function only(results: readonly PlatformResult[]): PlatformResult {
  const [result, ...more] = results;
  if (result === undefined) throw new EngineError("internal", "nothing was built");
  if (more.length > 0)
    throw new EngineError("invalid", "docker exporter does not currently support exporting manifest lists");
  return result;
}

function namesOf(session: Session, attributes: Record<string, string>): string[] {
  const named = (attributes["name"] ?? "").split(",").filter((name) => name !== "");
  return [...new Set([...session.request.tags, ...named])];
}

/** "docker.io/library/app:v1"; BuildKit adds no tag to a name that came without one */
const fullName = (name: string): string => canonical(parseReference(name));

/** An image of this engine, with its names, in one transaction. */
async function toImage(
  session: Session,
  attributes: Record<string, string>,
  result: PlatformResult,
): Promise<BuildResult> {
  const names = namesOf(session, attributes);
  const { images } = session.deps;
  const { os } = result.config;
  if (os && os !== "linux" && attributes["push"] !== "true")
    throw new EngineError("invalid", "operating system is not supported");
  const image =
    result.imageId === undefined
      ? images.add(result.config, { references: names })
      : named(images, result.imageId, names);
  const form = layerForm(attributes);
  const isPlain = session.request.annotations.size === 0 && !form.compression && form.oci === undefined;
  const pushed = attributes["push"] === "true";
  if (pushed && isPlain) await pushAll(session, names);
  const made =
    pushed && !isPlain
      ? // Docker's media types unless something else is asked for: what a plain push gives
        await pushIndex(session, names, [result], { ...form, oci: form.oci ?? false })
      : undefined;
  return {
    images: [{ platform: result.platform, image, config: result.config }],
    response: {
      "containerimage.config.digest": image.id,
      "containerimage.digest": image.id,
      ...(made === undefined ? {} : described(made)),
      ...(names.length > 0 ? { "image.name": names.map(fullName).join(",") } : {}),
    },
  };
}

function named(images: Images, id: string, names: readonly string[]): Image {
  for (const name of names) images.tag(id, name);
  return images.resolve(id);
}

/** An index, which goes to its registries without staying here (`refuseUnbuilt` sees to that it has to). */
async function toRegistry(
  session: Session,
  attributes: Record<string, string>,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const names = namesOf(session, attributes);
  const made = await pushIndex(session, names, results, layerForm(attributes));
  return { images: [], response: { ...described(made), "image.name": names.map(fullName).join(",") } };
}

/** A folder of the client's that keeps blobs; its names are the client's business. */
async function toStore(
  session: Session,
  { store, attributes }: BuildOutput & { store: Repository },
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const names = namesOf(session, attributes);
  const made = await sendIndex(
    session,
    { target: store, reference: undefined, tag: "latest" },
    names,
    results,
    layerForm(attributes),
  );
  const named = names.length > 0 ? { "image.name": names.map(fullName).join(",") } : {};
  return { images: [], response: { ...described(made), ...named } };
}

/** What clients learn of an image that is not in the store. */
const described = ({ top: { descriptor }, configDigest }: Assembled): Record<string, string> => ({
  "containerimage.config.digest": configDigest,
  "containerimage.descriptor": Buffer.from(JSON.stringify(descriptor)).toString("base64"),
  "containerimage.digest": descriptor.digest,
});

/**
 * A tar that is an OCI layout and a docker archive in one, its layers as they are. An OCI layout alone where it is an index, or
 * has annotations; what is compressed is `type`'s alone.
 */
async function toArchive(
  session: Session,
  output: BuildOutput & { type: "docker" | "oci" | "tar"; sink: OutputSink },
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const names = namesOf(session, output.attributes);
  const form = layerForm(output.attributes);
  const isCompressed = form.compression !== undefined && form.compression.type !== "uncompressed";
  const isLayout =
    output.type === "oci" && (isIndex(session, results) || session.request.annotations.size > 0);
  if (isLayout || isCompressed || form.oci === false) {
    const layout = await assembleLayout(session, results, names, form);
    await output.sink.write(layoutArchive(session, layout, { names, isDocker: output.type === "docker" }));
    return { images: [], response: described(layout.made) };
  }
  const { config } = only(results);
  await output.sink.write(await session.deps.images.archive([{ config, references: names }]));
  const id = sha256(JSON.stringify(config));
  return { images: [], response: { "containerimage.config.digest": id, "containerimage.digest": id } };
}
