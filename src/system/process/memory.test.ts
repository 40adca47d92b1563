import { toArrayBuffer } from "bun:ffi";
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, realpathSync } from "node:fs";
import { bindLibc } from "../libc.ts";
import { ProgramPages } from "./memory.ts";

/** kB of this process's executable that are mapped and not its own copy. */
function mapped(): number {
  const path = realpathSync("/proc/self/exe");
  let own = false;
  let sum = 0;
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    if (/^[0-9a-f]+-/.test(line)) own = / r-xp .* \//.test(line) && line.endsWith(path);
    else if (own) sum += Number(/^Rss: +(\d+) kB/.exec(line)?.[1] ?? 0);
  }
  return sum;
}

test("a released program goes on, with less of it mapped", () => {
  const before = mapped();
  const pages = new ProgramPages();
  pages.find();
  pages.release();
  expect(mapped()).toBeLessThan(before);
  expect([3, 1, 2].toSorted().join()).toBe("1,2,3");
});

const { mmap, munmap } = bindLibc({
  mmap: { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "u64" },
  munmap: { args: ["u64", "u64"], returns: "i32" },
});

test("memory that lies where a file was mapped for a moment keeps what is in it", () => {
  const size = 8192;
  const library = /\/\S+\.so[.\d]*$/m.exec(readFileSync("/proc/self/maps", "latin1"))?.[0] ?? "";
  const [readOnly, readWrite, ofFile, anonymousThere] = [1, 3, 2, 0x32];
  // what is mapped first when a library is loaded, and what everyone who loads one reads
  for (const path of [library, "/etc/ld.so.cache"]) {
    const file = openSync(path, "r");
    const address = mmap(0, size, readOnly, ofFile, file, 0);
    closeSync(file);
    const pages = new ProgramPages();
    pages.find();
    expect(mmap(address, size, readWrite, anonymousThere, -1, 0)).toBe(address);
    const bytes = new Uint8Array(toArrayBuffer(Number(address) as never, 0, size)).fill(7);
    pages.release();
    expect(bytes.every((byte) => byte === 7)).toBe(true);
    munmap(address, size);
  }
});
