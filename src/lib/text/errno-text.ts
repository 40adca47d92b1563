/** What the C library and Go call the errors of the kernel that users meet, by the errno's name. */
const texts: Readonly<Record<string, string>> = {
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  EIO: "input/output error",
  EBADF: "bad file descriptor",
  ENXIO: "no such device or address",
  EACCES: "permission denied",
  ENOTBLK: "block device required",
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
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
  EPROTONOSUPPORT: "protocol not supported",
  EPIPE: "broken pipe",
};

/** `ENOENT` in words; undefined for what is not listed. */
export const errnoText = (code: string): string | undefined =>
  Object.hasOwn(texts, code) ? texts[code] : undefined;
