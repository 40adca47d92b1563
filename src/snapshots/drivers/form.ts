import { EEXIST, type FileStatus, fileType, mknodRaw, must, toText } from "../../system/files/at.ts";
import { setXattrRaw } from "../../system/files/xattr.ts";

/**
 * How a layer's folder says that names of lower layers are gone. `overlay`: as the overlay file system reads it, 0:0
 * character devices and an attribute on opaque folders. `marker`: empty files `.wh.<name>` and `.wh..wh..opq`, where
 * the data root's file system can hold neither (another overlay).
 */
export type LayerForm = "overlay" | "marker";

export const whiteoutPrefix = ".wh.";
export const opaqueMarker = ".wh..wh..opq";
export const opaqueXattr = "trusted.overlay.opaque";
/** Attributes that steer the overlay file system: an archive must not set them, a layer tar not tell them. */
export const overlayXattrPrefix = "trusted.overlay.";
const yes = Buffer.from("y");

export const isWhiteout = ({ mode, deviceMajor, deviceMinor }: FileStatus): boolean =>
  (mode & fileType.mask) === fileType.char && deviceMajor === 0 && deviceMinor === 0;

/** Hides lower layers' `name`; false where this layer itself has that name. */
export function hide(form: LayerForm, dir: number, name: string): boolean {
  const result =
    form === "overlay"
      ? mknodRaw(dir, name, fileType.char)
      : mknodRaw(dir, whiteoutPrefix + name, fileType.file | 0o600);
  if (result === EEXIST) return false;
  must(result, () => `make whiteout of ${toText(name)}`);
  return true;
}

/** Hides all that lower layers have in this directory. */
export function makeOpaque(form: LayerForm, dir: number): void {
  if (form === "overlay") {
    must(setXattrRaw(dir, opaqueXattr, yes), () => "mark a folder opaque");
    return;
  }
  const result = mknodRaw(dir, opaqueMarker, fileType.file | 0o600);
  if (result !== EEXIST) must(result, () => "mark a folder opaque");
}
