import { EngineError, messageOf } from "../../lib/errors.ts";

/** What Go calls the errors of the kernel that a copy can meet. */
const texts: Readonly<Record<string, string>> = {
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  EIO: "input/output error",
  EACCES: "permission denied",
  EBUSY: "device or resource busy",
  EEXIST: "file exists",
  EXDEV: "invalid cross-device link",
  ENODEV: "no such device",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  EFBIG: "file too large",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  EMLINK: "too many links",
  ENAMETOOLONG: "file name too long",
  ENOTEMPTY: "directory not empty",
  ELOOP: "too many levels of symbolic links",
  EDQUOT: "disk quota exceeded",
};

/** The failure as Docker words it: Go's text for an errno, Go's bare sentence for a bad archive; 500 all of them. */
export function inGo(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  const text = typeof code === "string" ? texts[code] : undefined;
  const message = messageOf(error);
  if (text !== undefined && message.endsWith(`: ${code}`)) {
    const doing = message.startsWith("mknodat ") ? "" : message.slice(0, -String(code).length);
    return Object.assign(new EngineError("internal", doing + text, { cause: error }), { code });
  }
  const unhandled = /^archive\/tar: invalid tar header: unknown entry type "(.)"$/s.exec(message)?.[1];
  if (unhandled !== undefined)
    return new EngineError("internal", `unhandled tar header type ${unhandled.charCodeAt(0)}`, {
      cause: error,
    });
  if (message.startsWith("archive/tar: invalid tar header"))
    return new EngineError("internal", "archive/tar: invalid tar header", { cause: error });
  if (message === "unexpected EOF") return new EngineError("internal", message, { cause: error });
  return error;
}
