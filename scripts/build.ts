/** Compiles `dist/berth`: one executable with the client, the engine and its worker threads. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { buildId } from "./lib/launcher/build-id.ts";
import { compileLauncher } from "./lib/launcher/compile.ts";
import { graft } from "./lib/launcher/graft.ts";

const version = (await Bun.file("package.json").json()).version as string;
const commit = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"]).stdout.toString().trim();
const id = await buildId(version, commit);

// Splitting and bytecode are what makes the client start in milliseconds; docs/decisions tells the figures.
const result = await Bun.build({
  entrypoints: ["src/main.ts", "src/worker.ts"],
  target: "bun",
  format: "esm",
  splitting: true,
  bytecode: true,
  minify: { whitespace: true, syntax: true, identifiers: false },
  define: {
    BERTH_VERSION: JSON.stringify(version),
    BERTH_COMMIT: JSON.stringify(commit),
    BERTH_BUILD: JSON.stringify(id),
  },
  // Without these Bun reads `bunfig.toml` (which may name code to run) and `.env` of whatever folder the user stands in,
  // and lists every folder up to the root: root's program must do neither, and it starts 3 ms sooner.
  compile: {
    outfile: "dist/.berth.new",
    autoloadBunfig: false,
    autoloadDotenv: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
  },
});
if (!result.success) {
  for (const message of result.logs) console.error(message);
  process.exit(1);
}
await mkdir("dist", { recursive: true });
await writeInPieces("dist/.berth.new", await withLauncher(await Bun.file("dist/.berth.new").bytes()));
await rename("dist/.berth.new", "dist/berth"); // whole or not at all, also under a running engine

/** Where there is no launcher, every command starts Bun, as it does where a launcher leaves a command alone. */
async function withLauncher(executable: Uint8Array): Promise<Uint8Array> {
  if (process.arch !== "x64") return executable;
  try {
    return graft(executable, await compileLauncher(id));
  } catch (error) {
    throw new Error(`cannot graft the launcher into the executable: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * Writes the executable anew in pieces of 64 KB. The page cache keeps each as one folio, and the kernel maps a folio by one
 * fault: a start takes a fifth fewer faults (docs/decisions/0080). Larger pieces would count as memory of an idle engine.
 */
async function writeInPieces(path: string, bytes: Uint8Array): Promise<void> {
  const piece = 64 << 10;
  await rm(path);
  const file = await open(path, "w", 0o755);
  for (let at = 0; at < bytes.length; at += piece) await file.writeFile(bytes.subarray(at, at + piece));
  await file.close();
}
