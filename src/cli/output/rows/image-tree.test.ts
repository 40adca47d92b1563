import { expect, test } from "bun:test";
import type { ImageSummary } from "../../../types/api.ts";
import { imageTree } from "./image-tree.ts";

const summary = (Id: string, RepoTags: string[], Containers: number): ImageSummary => ({
  Id: `sha256:${Id.repeat(64)}`,
  RepoTags,
  Containers,
  Created: 1,
  Labels: null,
  ParentId: "",
  RepoDigests: [],
  SharedSize: -1,
  Size: 1_980_000,
});

test("an image stands once, under all its names, with its platforms below it", () => {
  const child = { bytes: 1_980_000, contentBytes: 500_000, inUse: false };
  const platform = { os: "linux", architecture: "amd64" };
  const text = imageTree([
    { summary: summary("a", ["one:1", "one:2"], 2), children: [{ ...child, platform, id: "sha256:aa" }] },
    {
      summary: summary("b", [], 0),
      children: [
        { ...child, platform, id: "sha256:b1" },
        {
          ...child,
          platform: { ...platform, architecture: "arm", variant: "v7" },
          id: "sha256:b2",
          inUse: true,
        },
      ],
    },
  ]);
  expect(text.split("\n")).toEqual([
    "IMAGE             ID             DISK USAGE   CONTENT SIZE   EXTRA",
    "one:1",
    "one:2             aaaaaaaaaaaa       1.98MB          500kB   U",
    "└─ linux/amd64    aa                 1.98MB          500kB",
    "<untagged>        bbbbbbbbbbbb       1.98MB            1MB",
    "├─ linux/amd64    b1                 1.98MB          500kB",
    "└─ linux/arm/v7   b2                 1.98MB          500kB   U",
    "",
  ]);
});
