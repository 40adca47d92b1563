import type { Image, Images } from "../../images/contract.ts";
import { sha256 } from "../../lib/digest.ts";
import { EngineError } from "../../lib/errors.ts";
import { canonical, parseReference, withDefaultTag } from "../../lib/reference.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { BuildOutput, BuildResult } from "../contract.ts";
import type { Session } from "../solver/session.ts";
import { pushAll } from "./push.ts";

/** A target's result on one platform. */
export interface PlatformResult {
  platform: string;
  config: ImageConfig;
  layers: readonly string[];
  /** of a classic build: it is there already, and wants its names */
  imageId?: string;
  /** of the cached steps that made its own layers */
  keys: readonly string[];
}

/** Gives the results where they are asked for. */
export async function exportBuild(
  session: Session,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const total: BuildResult = { images: [], response: {} };
  if (session.request.outputs.some(({ type }) => type !== "cacheonly"))
    await session.imports.bring(results.flatMap(({ layers }) => layers));
  for (const [index, output] of session.request.outputs.entries()) {
    const one = await told(session, output, index, () => exportTo(session, output, results));
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
async function told<T extends BuildResult>(
  session: Session,
  { type }: BuildOutput,
  index: number,
  work: () => Promise<T>,
): Promise<T> {
  const name = titles[type];
  if (name === "") return await work();
  const vertex = { digest: sha256(`${session.ref} export ${index}`), inputs: [], name, cached: false };
  const started = Date.now();
  session.vertex({ ...vertex, started });
  try {
    const result = await work();
    if (type === "image") tellImage(session, vertex.digest, result, started);
    session.vertex({ ...vertex, started, completed: Date.now() });
    return result;
  } catch (error) {
    session.vertex({ ...vertex, started, completed: Date.now(), error: String(error) });
    throw error;
  }
}

/** What became of the image, as BuildKit counts it. */
function tellImage(
  session: Session,
  vertex: string,
  { images, response }: BuildResult,
  started: number,
): void {
  const [first] = images;
  const names = (response["image.name"] ?? "").split(",").filter((name) => name !== "");
  const done = [
    "exporting layers",
    ...(first === undefined ? [] : [`writing image ${first.image.id}`]),
    ...names.map((name) => `naming to ${name}`),
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
      return await toImage(session, output.attributes, results);
    case "docker":
    case "oci":
      return await toArchive(session, output, results);
    case "tar":
      await output.sink.write(session.deps.workers.tar(await rootOf(session, only(results))));
      return nothing;
    case "local":
      await toFolder(session, output, results);
      return nothing;
    case "cacheonly":
      return nothing;
  }
}

function only(results: readonly PlatformResult[]): PlatformResult {
  const [result, ...more] = results;
  if (result === undefined) throw new EngineError("internal", "nothing was built");
  if (more.length > 0)
    throw new EngineError(
      "notImplemented",
      "this output holds one platform: use type=oci or type=local for several",
    );
  return result;
}

const rootOf = (session: Session, { layers }: PlatformResult): Promise<string> => session.view(layers);

function namesOf(session: Session, attributes: Record<string, string>): string[] {
  const named = (attributes["name"] ?? "").split(",").filter((name) => name !== "");
  return [...new Set([...session.request.tags, ...named])];
}

/** "docker.io/library/app:latest" */
const fullName = (name: string): string => canonical(withDefaultTag(parseReference(name)));

/** An image of this engine, with its names, in one transaction. */
async function toImage(
  session: Session,
  attributes: Record<string, string>,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const result = only(results);
  const names = namesOf(session, attributes);
  const { images } = session.deps;
  const image =
    result.imageId === undefined
      ? images.add(result.config, { references: names })
      : named(images, result.imageId, names);
  if (attributes["push"] === "true") await pushAll(session, names);
  return {
    images: [{ platform: result.platform, image, config: result.config }],
    response: {
      "containerimage.config.digest": image.id,
      "containerimage.digest": image.id,
      ...(names.length > 0 ? { "image.name": names.map(fullName).join(",") } : {}),
    },
  };
}

function named(images: Images, id: string, names: readonly string[]): Image {
  for (const name of names) images.tag(id, name);
  return images.resolve(id);
}

/** A tar that is an OCI layout and a docker archive in one. */
async function toArchive(
  session: Session,
  output: BuildOutput & { type: "docker" | "oci" | "tar" },
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const wanted = output.type === "docker" ? [only(results)] : results;
  const references = namesOf(session, output.attributes);
  const images = wanted.map(({ config }) => ({ config, references }));
  await output.sink.write(await session.deps.images.archive(images));
  const [first] = wanted;
  const id = first === undefined ? "" : sha256(JSON.stringify(first.config));
  return { images: [], response: { "containerimage.config.digest": id, "containerimage.digest": id } };
}

async function toFolder(
  session: Session,
  { attributes, sink }: BuildOutput & { type: "local" },
  results: readonly PlatformResult[],
): Promise<void> {
  const split = attributes["platform-split"] ?? String(results.length > 1);
  for (const result of results) {
    const prefix = split === "true" ? `${result.platform.replaceAll("/", "_")}/` : "";
    await sink.copy(await rootOf(session, result), prefix);
  }
}
