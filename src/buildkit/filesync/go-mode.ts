import { fileType } from "../../system/files/at.ts";

/** File modes as Go's os.FileMode has them (https://pkg.go.dev/io/fs#FileMode), which is what the wire carries. */
const go = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  charDevice: 2 ** 21,
  sticky: 2 ** 20,
  irregular: 2 ** 19,
};

const has = (mode: number, bit: number): boolean => Math.floor(mode / bit) % 2 === 1;

/** The kernel's mode, file type included; undefined for what no file system of ours holds. */
export function fromGoMode(mode: number): number | undefined {
  if (has(mode, go.irregular)) return undefined;
  const special =
    (has(mode, go.setuid) ? 0o4000 : 0) +
    (has(mode, go.setgid) ? 0o2000 : 0) +
    (has(mode, go.sticky) ? 0o1000 : 0);
  return typeOf(mode) + special + (mode % 0o1000);
}

function typeOf(mode: number): number {
  if (has(mode, go.directory)) return fileType.directory;
  if (has(mode, go.symlink)) return fileType.symlink;
  if (has(mode, go.device)) return has(mode, go.charDevice) ? fileType.char : fileType.block;
  if (has(mode, go.pipe)) return fileType.fifo;
  return has(mode, go.socket) ? fileType.socket : fileType.file;
}

const goTypes = new Map([
  [fileType.directory, go.directory],
  [fileType.symlink, go.symlink],
  [fileType.char, go.device + go.charDevice],
  [fileType.block, go.device],
  [fileType.fifo, go.pipe],
  [fileType.socket, go.socket],
]);

export function toGoMode(mode: number): number {
  const special =
    (mode & 0o4000 ? go.setuid : 0) + (mode & 0o2000 ? go.setgid : 0) + (mode & 0o1000 ? go.sticky : 0);
  return (goTypes.get((mode & fileType.mask) as never) ?? 0) + special + (mode & 0o777);
}
