import { afterAll, beforeEach } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder to build from, empty before each test of the file that asks for it. */
export function contextFolder(name: string): ContextFolder {
  const folder = new ContextFolder();
  const remove = async (): Promise<void> => {
    if (folder.path !== "") await rm(folder.path, { recursive: true, force: true });
  };
  beforeEach(async () => {
    await remove();
    folder.path = await mkdtemp(join(tmpdir(), `berth-${name}-`));
  });
  afterAll(remove);
  return folder;
}

export class ContextFolder {
  path = "";

  /** Writes files, and the folders they are in. */
  async files(contents: Record<string, string>): Promise<void> {
    for (const [name, content] of Object.entries(contents)) {
      const path = join(this.path, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
  }
}
