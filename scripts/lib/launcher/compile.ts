import { cc, type Pointer, toArrayBuffer } from "bun:ffi";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcherTables } from "./tables.ts";

const sizeLimit = 64 << 10;

/**
 * The launcher's machine code, by the C compiler that Bun carries: a machine needs none of its own. That one compiles into
 * memory, so the code is taken from there; it is as good at any other address, which compiling it twice proves.
 */
export async function compileLauncher(buildId: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "berth-launcher-"));
  try {
    await writeFile(join(folder, "tables.h"), launcherTables(buildId));
    const [one, other] = [compile(folder), compile(folder)];
    if (!Buffer.from(one).equals(other)) throw new Error("the launcher's code depends on where it lies");
    return one;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function compile(tables: string): Uint8Array {
  const library = cc({
    source: join(import.meta.dir, "../../../src/launcher/launcher.c"),
    flags: ["-nostdlib", "-Wall", "-Werror", `-I${tables}`],
    symbols: { launcher_begin: { returns: "ptr" }, launcher_end: { returns: "ptr" } },
  });
  try {
    const begin = library.symbols.launcher_begin() as Pointer;
    const length = (library.symbols.launcher_end() as Pointer) - begin;
    if (!(length > 0 && length < sizeLimit))
      throw new Error(`the launcher's code has an impossible length: ${length}`);
    return new Uint8Array(toArrayBuffer(begin, 0, length)).slice();
  } finally {
    library.close();
  }
}
