import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostArchitecture } from "../../lib/image/platform.ts";
import { checkEmulator } from "./emulators.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-emulators-"));
afterAll(() => rmSync(folder, { recursive: true }));

const foreign = "linux/riscv64";
const registered = (flags: string, state = "enabled"): void =>
  writeFileSync(
    join(folder, "qemu-riscv64"),
    `${state}\ninterpreter /usr/libexec/qemu-binfmt/riscv64-binfmt-P\nflags: ${flags}\noffset 0\n`,
  );

test("the host's own architecture needs no emulator", async () => {
  expect(await checkEmulator(`linux/${hostArchitecture}`, "/nowhere")).toBeUndefined();
});

test("a foreign step without an emulator, or with one that is off, is refused and told what to install", async () => {
  const refusal = "this host cannot run programs for linux/riscv64: install an emulator";
  await expect(checkEmulator(foreign, "/nowhere")).rejects.toThrow(refusal);
  registered("POCF", "disabled");
  await expect(checkEmulator(foreign, folder)).rejects.toThrow(refusal);
});

test("an emulator that containers cannot reach is refused by its flag", async () => {
  registered("POC");
  await expect(checkEmulator(foreign, folder)).rejects.toThrow("flag F of binfmt_misc");
});

test("an emulator that hides the name a program is called by is warned of by its own", async () => {
  registered("OCF");
  expect(await checkEmulator(foreign, folder)).toContain(
    "the emulator qemu-riscv64 of this host is registered without flag P",
  );
  registered("POCF");
  expect(await checkEmulator(foreign, folder)).toBeUndefined();
});
