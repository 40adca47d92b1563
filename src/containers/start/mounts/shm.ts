import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { MountInput } from "../../../runtime/spec/input.ts";
import { unmount } from "../../../system/mount/mount.ts";
import { mountTmpfs } from "../../../system/mount/tmpfs.ts";
import type { Container } from "../../container.ts";
import { type Context, folderOf } from "../../context.ts";
import { ipcDonor } from "../namespaces.ts";

const shmPath = (ctx: Context, id: string): string => join(folderOf(ctx, id), "shm");

/**
 * `/dev/shm` where it is not the container's own: the host's, another container's, or one that others may share. A
 * shareable one is a tmpfs on the host, as a mount inside one container cannot be bound into another.
 */
export async function prepareShm(ctx: Context, container: Container): Promise<MountInput[]> {
  const { IpcMode, ShmSize } = container.spec.hostConfig;
  const bind = (source: string): MountInput[] => [
    {
      destination: "/dev/shm",
      type: "bind",
      source,
      options: ["rbind", "rprivate", "nosuid", "nodev", "noexec"],
    },
  ];
  if (IpcMode === "host") return bind("/dev/shm");
  const donor = ipcDonor(ctx, container);
  if (donor) return bind(shmPath(ctx, donor.id));
  if (IpcMode !== "shareable") return [];
  const path = shmPath(ctx, container.id);
  await mkdir(path, { recursive: true, mode: 0o700 });
  mountTmpfs(path, `mode=1777,size=${ShmSize}`);
  return bind(path);
}

/** Takes away a shared memory that a crash left mounted. */
export const dropShm = (ctx: Context, id: string): boolean => unmount(shmPath(ctx, id));

export async function releaseShm(ctx: Context, container: Container): Promise<void> {
  if (container.spec.hostConfig.IpcMode !== "shareable") return;
  const path = shmPath(ctx, container.id);
  unmount(path);
  await rm(path, { recursive: true, force: true });
}
