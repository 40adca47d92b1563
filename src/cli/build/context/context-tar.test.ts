import { expect, test } from "bun:test";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TarReader } from "../../../lib/tar/reader.ts";
import { contextTar } from "./context-tar.ts";
import { readSources } from "./sources.ts";

test("the Dockerfile and the ignore file are sent with the modes and times that they have", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-context-tar-"));
  try {
    const files = {
      Dockerfile: "FROM scratch\n",
      ".dockerignore": "Dockerfile\nleft-out\n",
      "left-out": "",
      kept: "k",
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text, { mode: 0o640 });
      await utimes(join(folder, name), 1234567890, 1234567890);
    }
    const sources = await readSources(folder, "");
    if (!("dockerfile" in sources)) throw new Error("no Dockerfile was found");
    const told: string[] = [];
    const reader = new TarReader({
      entry: ({ name, mode, mtime }) => told.push(`${name} ${mode.toString(8)} ${mtime.s}`),
      data: () => undefined,
      end: () => undefined,
    });
    for await (const piece of contextTar(sources)) reader.push(Buffer.from(piece));
    reader.finish();
    expect(told.sort()).toEqual(
      [".dockerignore", "Dockerfile", "kept"].map((name) => `${name} 640 1234567890`),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
