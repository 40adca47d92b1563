import { createHash } from "node:crypto";
import { join } from "node:path";
import { Glob } from "bun";

/** What the executable is made of. One pattern each: Bun's globs find nothing by `{a/**,b}`. */
const sources = ["src/**/*.{ts,c,h}", "scripts/build.ts", "scripts/lib/launcher/*.ts", "package-lock.json"];

/**
 * What two processes of the very same program have in common, and no others: version, commit, and a hash of what the
 * executable is made of. The launcher hands commands only to an engine that has the same one.
 */
export async function buildId(version: string, commit: string, root = "."): Promise<string> {
  const hash = createHash("sha256").update(Bun.version);
  for (const pattern of sources) {
    const files = await Array.fromAsync(new Glob(pattern).scan(root));
    if (files.length === 0) throw new Error(`no sources by ${pattern} in ${root}`);
    for (const file of files.sort())
      if (!file.endsWith(".test.ts"))
        hash.update(`${file}\0`).update(await Bun.file(join(root, file)).bytes());
  }
  return `${version}-${commit || "source"}-${hash.digest("hex").slice(0, 16)}`;
}
