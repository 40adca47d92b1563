import { open, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { runCommand } from "../../system/process/process.ts";

/** A volume of a limited size is a file with an ext4 file system of that size, mounted while somebody uses it. */
export const imageFile = "disk.img";

const makeTimeoutMs = 120_000;

/** Takes disk space only as it is filled. Throws `invalid` where no file system fits, or none can be made here. */
export async function makeImage(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
  const options = ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"];
  const made = await runCommand(["mkfs.ext4", ...options, path], makeTimeoutMs).catch((error: unknown) => {
    throw new EngineError("invalid", "a size limit needs mkfs.ext4 (Debian package e2fsprogs)", {
      cause: error,
    });
  });
  if (made.exitCode === 0) return;
  const why = made.stderr.trim().split("\n").at(-1)?.trim() ?? `code ${made.exitCode}`;
  throw new EngineError("invalid", `no file system of ${sizeBytes} bytes could be made: ${why}`);
}

/** mkfs leaves a folder of its own, which would keep a new volume from being filled. */
export async function dropLostAndFound(data: string): Promise<void> {
  try {
    await rmdir(join(data, "lost+found"));
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  }
}

/** ext4's superblock, 1024 bytes from the start, counts its mounts at 52. False where there is no image. */
export async function neverMounted(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 1024 + 52);
      return bytesRead === 2 && buffer.readUInt16LE(0) === 0;
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return false;
    throw error;
  }
}
