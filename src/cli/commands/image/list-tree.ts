import type { ImageInspect, ImageSummary } from "../../../types/api.ts";
import type { Platform } from "../../../types/oci.ts";
import { imagePath } from "../../images/image-path.ts";
import { imageTree, type TreeChild } from "../../output/rows/image-tree.ts";
import type { Session } from "../../session.ts";

/** One platform of an image, as engines tell it that keep several (`manifests=1`, API 1.47). */
interface Manifest {
  ID: string;
  Kind: string;
  Size: { Content: number; Total: number };
  ImageData?: { Platform: Platform; Containers: string[] | null };
}

/** Images without a name are left out unless `all` are asked for. */
export async function showTree(
  session: Session,
  images: readonly (ImageSummary & { Manifests?: Manifest[] })[],
  all: boolean,
): Promise<number> {
  const shown = images
    .filter(({ RepoTags }) => all || RepoTags.length > 0)
    .toSorted((a, b) => b.Created - a.Created);
  const tree = await Promise.all(
    shown.map(async (summary) => ({
      summary,
      children: summary.Manifests?.flatMap(childOf) ?? [await onlyChild(session, summary)],
    })),
  );
  session.write(imageTree(tree));
  return 0;
}

function childOf({ ID, Kind, Size, ImageData }: Manifest): TreeChild[] {
  if (Kind !== "image" || ImageData === undefined) return [];
  const inUse = (ImageData.Containers ?? []).length > 0;
  return [{ platform: ImageData.Platform, id: ID, bytes: Size.Total, contentBytes: Size.Content, inUse }];
}

/** Of an engine that keeps one platform an image. */
async function onlyChild(session: Session, { Id, Size, Containers }: ImageSummary): Promise<TreeChild> {
  const { Os, Architecture, Variant } = await session.client.json<ImageInspect>(
    "GET",
    imagePath(Id, "/json"),
  );
  const platform = { os: Os, architecture: Architecture, ...(Variant ? { variant: Variant } : {}) };
  return { platform, id: Id, bytes: Size, contentBytes: 0, inUse: Containers > 0 };
}
