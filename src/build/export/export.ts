import { sha256 } from "../../lib/digest.ts";
import { EngineError } from "../../lib/errors.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { BuildOutput, BuildResult } from "../contract.ts";
import type { Session } from "../solver/session.ts";

/** A target's result on one platform. */
export interface PlatformResult {
  platform: string;
  config: ImageConfig;
  layers: readonly string[];
}

/** Gives the results where they are asked for. */
export async function exportBuild(
  session: Session,
  results: readonly PlatformResult[],
): Promise<BuildResult> {
  const total: BuildResult = { images: [], response: {} };
  for (const output of session.request.outputs) {
    const one = await exportTo(session, output, results);
    total.images.push(...one.images);
    Object.assign(total.response, one.response);
  }
  return total;
}

function exportTo(
  session: Session,
  output: BuildOutput,
  results: readonly PlatformResult[],
): Promise<BuildResult> | BuildResult {
  switch (output.type) {
    case "image":
      return toImage(session, output.attributes, results);
    case "cacheonly":
      return { images: [], response: {} };
    default:
      throw new EngineError("notImplemented", `output type ${output.type} is not built yet`);
  }
}

/** An image of this engine, with its names, in one transaction. */
function toImage(
  session: Session,
  attributes: Record<string, string>,
  results: readonly PlatformResult[],
): BuildResult {
  const [result, ...more] = results;
  if (result === undefined) throw new EngineError("internal", "nothing was built");
  if (more.length > 0)
    throw new EngineError("notImplemented", "an image of several platforms is not built yet");
  const digest = sha256(`${session.ref} export image`);
  const started = Date.now();
  const told = { digest, inputs: [], name: "exporting to image", cached: false, started };
  session.vertex(told);
  const named = (attributes["name"] ?? "").split(",").filter((name) => name !== "");
  const names = [...new Set([...session.request.tags, ...named])];
  const image = session.deps.images.add(result.config, { references: names });
  session.vertex({ ...told, completed: Date.now() });
  return {
    images: [{ platform: result.platform, image, config: result.config }],
    response: {
      "containerimage.config.digest": image.id,
      "containerimage.digest": image.id,
      ...(names.length > 0 ? { "image.name": names.join(",") } : {}),
    },
  };
}
