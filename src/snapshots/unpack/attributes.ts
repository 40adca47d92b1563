import { must } from "../../system/files/at.ts";
import { ENOTSUP, EPERM, setXattrAtRaw, setXattrRaw } from "../../system/files/xattr.ts";
import { overlayXattrPrefix } from "../drivers/form.ts";

/**
 * Sets an entry's extended attributes, on a descriptor or on a name in a directory. Left out, as Docker does: what the
 * file system does not know, and `user.` attributes of what cannot have them; and those that steer the overlay.
 */
export function setAttributes(
  fd: number,
  name: string | undefined,
  xattrs: ReadonlyMap<string, string>,
): void {
  for (const [key, text] of xattrs) {
    if (key.startsWith(overlayXattrPrefix)) continue;
    const value = Buffer.from(text, "latin1");
    const result = name === undefined ? setXattrRaw(fd, key, value) : setXattrAtRaw(fd, name, key, value);
    if (result === ENOTSUP || (result === EPERM && key.startsWith("user."))) continue;
    must(result, () => `set attribute ${key}`);
  }
}
