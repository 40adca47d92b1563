import { fileType } from "../../system/files/at.ts";

/** Bits above the permissions in Go's `fs.FileMode`, which Docker tells as a number: https://pkg.go.dev/io/fs#FileMode */
const go = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  namedPipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  charDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

const types: Readonly<Record<number, number>> = {
  [fileType.directory]: go.directory,
  [fileType.symlink]: go.symlink,
  [fileType.block]: go.device,
  [fileType.char]: go.device + go.charDevice,
  [fileType.fifo]: go.namedPipe,
  [fileType.socket]: go.socket,
};

/** A mode of stat(2), type included, as Go's. */
export const goFileMode = (mode: number): number =>
  (mode & 0o777) +
  (types[mode & fileType.mask] ?? 0) +
  (mode & 0o4000 ? go.setuid : 0) +
  (mode & 0o2000 ? go.setgid : 0) +
  (mode & 0o1000 ? go.sticky : 0);
