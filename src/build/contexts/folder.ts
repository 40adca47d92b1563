import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { parseIgnoreFile } from "../../lib/ignore/ignore-file.ts";
import { readBeneath, realBeneath } from "../../system/files/beneath.ts";
import type { BuildContext } from "../contract.ts";
import { filterOf } from "../copy/ignore.ts";

const ignoreFileMax = 4 << 20;

interface FolderContextRequest {
  root: string;
  /** path of the Dockerfile below the root, if it is there: `<Dockerfile>.dockerignore` wins over `.dockerignore` */
  dockerfile: string | undefined;
  /** whether others may change it meanwhile */
  live: boolean;
  close?: () => Promise<void>;
  /** what is left out, of what the ignore file says; all of it where absent */
  onlyNames?: readonly string[];
}

/** The folder `path` of a foreign tree as a path of this machine: neither `..` nor a link leads out of the tree. */
export const folderWithin = (tree: string, path: string): string =>
  path === "" ? tree : join(tree, realBeneath(tree, path));

/** A context that is a folder of this machine, read in place. */
export function folderContext(request: FolderContextRequest): BuildContext {
  const { root, dockerfile, live, close, onlyNames } = request;
  return {
    open: () =>
      Promise.resolve({
        root,
        ignore: ignoredOf(ignoreText(root, dockerfile), onlyNames),
        live,
        close: close ?? (() => Promise.resolve()),
      }),
  };
}

const dockerfileMax = 16 * 1024 * 1024;

/** The Dockerfile of a folder; as BuildKit does, `dockerfile` will do for `Dockerfile`. */
export function dockerfileIn(root: string, name: string): string {
  const lower = name.replace(/(^|\/)Dockerfile$/, "$1dockerfile");
  const text = readBeneath(root, name, dockerfileMax) ?? readBeneath(root, lower, dockerfileMax);
  if (text !== undefined) return text;
  throw new EngineError("invalid", `failed to read dockerfile: open ${name}: no such file or directory`);
}

function ignoredOf(text: string, onlyNames: readonly string[] | undefined): string[] {
  const patterns = parseIgnoreFile(text).map(({ pattern }) => pattern);
  if (onlyNames === undefined) return patterns;
  const filter = filterOf(patterns);
  return onlyNames.filter((name) => filter.excludes(name));
}

function ignoreText(root: string, dockerfile: string | undefined): string {
  const own =
    dockerfile === undefined ? undefined : readBeneath(root, `${dockerfile}.dockerignore`, ignoreFileMax);
  return own ?? readBeneath(root, ".dockerignore", ignoreFileMax) ?? "";
}
