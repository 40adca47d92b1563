import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folders = ["dev/pts", "dev/shm", "etc", "proc", "sys"];
const files = [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"];
const stepFolders = ["dev", "etc", "proc", "sys"];
const stepFiles = ["etc/hosts", "etc/resolv.conf"];

/**
 * The layer below all layers of an image: what a runtime would else have to make in the container's own layer as
 * targets of its mounts, where `diff` would show it. It lies lowest, so whatever the image has itself wins.
 */
export function makeInitLayer(folder: string): void {
  make(folder, folders, files, (diff) => symlinkSync("/proc/mounts", join(diff, "etc/mtab")));
}

/** The same for a build's steps, which see less of the engine: no `/.dockerenv`, as with BuildKit. */
export function makeStepLayer(folder: string): void {
  make(folder, stepFolders, stepFiles, () => undefined);
}

function make(
  folder: string,
  folders: readonly string[],
  files: readonly string[],
  more: (diff: string) => void,
): void {
  if (existsSync(folder)) return;
  const temporary = `${folder}.new`;
  rmSync(temporary, { recursive: true, force: true });
  const diff = join(temporary, "diff");
  for (const name of folders) mkdirSync(join(diff, name), { recursive: true, mode: 0o755 });
  for (const name of files) writeFileSync(join(diff, name), "", { mode: 0o755 });
  more(diff);
  renameSync(temporary, folder);
}
