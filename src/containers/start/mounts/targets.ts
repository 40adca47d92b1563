import { statSync } from "node:fs";
import { isKind } from "../../../lib/errors.ts";
import type { Owner } from "../../../lib/users/id-map.ts";
import { initFailure } from "../../../runtime/oci-runtime/failure.ts";
import type { MountInput } from "../../../runtime/spec/input.ts";
import { refuseProcTargets } from "../../../runtime/spec/proc-targets.ts";
import { makeFileBeneath, makeFolderBeneath } from "../../../system/files/beneath.ts";

/** mounted in every container */
const nameFiles = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].map((path) => ({
  destination: path,
  source: path,
}));

/**
 * Makes the places that mounts need and the image lacks, as Docker leaves them: folders with mode 755 (crun would make
 * them sticky), an empty file for a file; `owner` is the container's root. What lies below another mount is made there, by the runtime.
 */
export function makeTargets(rootfs: string, mounts: readonly MountInput[], owner: Owner): void {
  refuseProcTargets(rootfs, [...mounts, ...nameFiles]);
  for (const { destination, source, type } of mounts) {
    if (destination === "/")
      throw initFailure(
        `error mounting ${JSON.stringify(source)} to rootfs at "/": create mountpoint for / mount: mountpoint ${JSON.stringify(rootfs)} is on the top of rootfs ${JSON.stringify(rootfs)}`,
      );
    if (mounts.some((other) => other.destination !== "/" && destination.startsWith(`${other.destination}/`)))
      continue;
    if (/^\/(proc|sys|dev)(\/|$)/.test(destination)) continue;
    try {
      if (type !== "bind" || isFolder(source)) makeFolderBeneath(rootfs, destination, 0o755, owner);
      else makeFileBeneath(rootfs, destination, 0o755, owner);
    } catch (error) {
      // a file where a folder is needed: the runtime tells it better
      if (!isKind(error, "invalid")) throw error;
    }
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;
