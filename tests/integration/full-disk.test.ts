import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, startEngine } from "../harness/engine.ts";

/** A data root on a disk that is full to its last byte: what makes room there must still work. */
test("on a full disk the engine comes up again, and containers and images can be removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-full-"));
  const disk = join(folder, "disk");
  await mkdir(disk);
  const image = join(folder, "image");
  for (const command of [
    ["truncate", "-s", "400M", image],
    ["mkfs.ext4", "-q", image],
    ["mount", "-o", "loop", image, disk],
  ]) {
    const { code, stderr } = await run(command);
    if (code !== 0) throw new Error(stderr);
  }
  const engine = await startEngine({ images: ["busybox"], flags: ["--data-root", join(disk, "data")] });
  try {
    await engine.ok("create", "--name", "one", "busybox", "true");
    await engine.ok("run", "--name", "large", "busybox", "dd", "if=/dev/zero", "of=/f", "bs=1M", "count=40");
    await engine.stop("SIGKILL");
    await writeFile(join(disk, "others"), Buffer.alloc(420 << 20)).catch((error: { code?: string }) =>
      expect(error.code).toBe("ENOSPC"),
    );
    await engine.start();
    expect(await engine.ok("ps", "-aq", "--filter", "name=one")).not.toBe("");
    await engine.ok("rm", "one", "large");
    await engine.ok("rmi", "busybox");
    await rm(join(disk, "others"));
  } finally {
    await engine.destroy();
    await run(["umount", "-l", disk]);
    await rm(folder, { recursive: true });
  }
}, 120_000);
