import { createHash } from "node:crypto";
import { Glob } from "bun";

/**
 * What two processes of the very same program have in common, and no others: version, commit, and a hash of what the
 * executable is made of. The launcher hands commands only to an engine that has the same one.
 */
export async function buildId(version: string, commit: string): Promise<string> {
  const hash = createHash("sha256").update(Bun.version);
  const files = await Array.fromAsync(
    new Glob("{src/**/*.{ts,c,h},scripts/build.ts,scripts/lib/launcher/*.ts}").scan("."),
  );
  for (const file of [...files, "package-lock.json"].sort())
    if (!file.endsWith(".test.ts")) hash.update(`${file}\0`).update(await Bun.file(file).bytes());
  return `${version}-${commit || "source"}-${hash.digest("hex").slice(0, 16)}`;
}
