import { closeSync, constants, openSync } from "node:fs";
import { bindLibc, check, SystemError } from "../libc.ts";

/** Loop devices: a file as a block device, loop(4). */
const { ioctl } = bindLibc({ ioctl: { args: ["i32", "u64", "u64"], returns: "i32" } });
const { ioctl: ioctlStruct } = bindLibc({ ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } });

const getFree = 0x4c82;
/** Linux ≥ 5.8: backing file and flags in one call */
const configure = 0x4c0a;
const autoClear = 4;
/** struct loop_config: fd, block size, struct loop_info64 (232 bytes, its flags at 52), 64 reserved */
const configSize = 304;
const flagsAt = 8 + 52;
const triesMax = 16;

/**
 * Makes a free device of a file. It frees itself once its last user is gone: whoever opened it here with `close`, and
 * the file system that is mounted from it.
 */
export function openLoopDevice(file: string): { device: string; close: () => void } {
  const backing = openSync(file, constants.O_RDWR);
  const control = openSync("/dev/loop-control", constants.O_RDWR);
  try {
    for (let attempt = 1; ; attempt++) {
      const device = `/dev/loop${check(ioctl(control, getFree, 0), "find a free loop device")}`;
      const fd = openSync(device, constants.O_RDWR);
      try {
        check(ioctlStruct(fd, configure, configOf(backing)), `make ${device} of ${file}`);
        return { device, close: () => closeSync(fd) };
      } catch (error) {
        closeSync(fd);
        // another process took it in between
        const taken = error instanceof SystemError && error.code === "EBUSY";
        if (!taken || attempt === triesMax) throw error;
      }
    }
  } finally {
    closeSync(control);
    closeSync(backing);
  }
}

function configOf(backing: number): Buffer {
  const config = Buffer.alloc(configSize);
  config.writeUInt32LE(backing, 0);
  config.writeUInt32LE(autoClear, flagsAt);
  return config;
}
