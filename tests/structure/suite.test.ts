import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunTest } from "../../scripts/lib/suite.ts";

test("a run that ends well before it has told anything has failed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-suite-"));
  try {
    const file = join(folder, "ends.test.ts");
    await writeFile(file, 'import { test } from "bun:test";\ntest("ends", () => process.exit(0));\n');
    expect(await bunTest("ends", [file], 50_000)).toMatchObject({ passed: 0, failed: 1 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
