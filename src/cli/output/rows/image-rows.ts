import { shortId } from "../../../lib/ids.ts";
import { humanDuration, humanSize } from "../../../lib/text/units.ts";
import type { UsedImage } from "../../../types/api.ts";
import type { RowKind } from "../row-kind.ts";
import { localTime } from "../text.ts";

/** An image under one of its names. */
export interface ImageRow {
  image: UsedImage;
  repository: string;
  tag: string;
  digest: string;
}

const none = "<none>";

export const imageTable = (digests: boolean): string =>
  `{{.Repository}}\t{{.Tag}}\t${digests ? "{{.Digest}}\t" : ""}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`;

/** The template of `--format raw`. */
export const rawImage = (quiet: boolean, digests: boolean): string =>
  quiet
    ? "image_id: {{.ID}}"
    : `repository: {{.Repository}}\ntag: {{.Tag}}\n${digests ? "digest: {{.Digest}}\n" : ""}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`;

/** One row a tag; digests without a tag of their repository get rows of their own where digests are shown. */
export function toRows(image: UsedImage, digests: boolean): ImageRow[] {
  const tags = (image.RepoTags ?? []).filter((name) => name !== `${none}:${none}`).map(splitTag);
  const byRepository = new Map<string, string[]>();
  for (const name of image.RepoDigests ?? []) {
    const at = name.lastIndexOf("@");
    if (at < 0 || name.startsWith(none)) continue;
    const repository = name.slice(0, at);
    byRepository.set(repository, [...(byRepository.get(repository) ?? []), name.slice(at + 1)]);
  }
  const rows = tags.flatMap(({ repository, tag }): ImageRow[] => {
    const known = byRepository.get(repository) ?? [];
    if (!digests || known.length === 0) return [{ image, repository, tag, digest: none }];
    return known.map((digest) => ({ image, repository, tag, digest }));
  });
  const tagged = new Set(tags.map(({ repository }) => repository));
  for (const [repository, known] of byRepository) {
    if (tagged.has(repository)) continue;
    if (digests) rows.push(...known.map((digest) => ({ image, repository, tag: none, digest })));
    else rows.push({ image, repository, tag: none, digest: none });
  }
  return rows.length > 0 ? rows : [{ image, repository: none, tag: none, digest: none }];
}

function splitTag(name: string): { repository: string; tag: string } {
  const at = name.lastIndexOf(":");
  return { repository: name.slice(0, at), tag: name.slice(at + 1) };
}

const notCounted = (count: number | undefined, show: (count: number) => string): string =>
  count === undefined || count < 0 ? "N/A" : show(count);

export const imageRows = (noTrunc: boolean): RowKind<ImageRow> => ({
  goType: "*formatter.imageContext",
  notPlain: ["CreatedAt"],
  headers: {
    ID: "IMAGE ID",
    Repository: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
    Containers: "CONTAINERS",
    VirtualSize: "SIZE",
    SharedSize: "SHARED SIZE",
    UniqueSize: "UNIQUE SIZE",
  },
  fields: {
    ID: ({ image }) => (noTrunc ? image.Id : shortId(image.Id)),
    Repository: ({ repository }) => repository,
    Tag: ({ tag }) => tag,
    Digest: ({ digest }) => digest,
    CreatedSince: ({ image }) =>
      image.Created <= 0 ? "N/A" : `${humanDuration(Date.now() / 1000 - image.Created)} ago`,
    CreatedAt: ({ image }) => localTime(image.Created),
    Size: ({ image }) => humanSize(image.Size, 3),
    Containers: ({ image }) => notCounted(image.Containers, String),
    VirtualSize: ({ image }) => humanSize(image.VirtualSize ?? image.Size),
    SharedSize: ({ image }) => notCounted(image.SharedSize, humanSize),
    UniqueSize: ({ image }) => (image.SharedSize < 0 ? "N/A" : humanSize(image.Size - image.SharedSize)),
  },
});
