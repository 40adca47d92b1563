import { expect, test } from "bun:test";
import type { SystemInfo } from "../../types/system.ts";
import { infoFor } from "./system.ts";

const info = {
  MemoryLimit: true,
  SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
  RuncCommit: { ID: "1.8" },
  ContainerdCommit: { ID: "" },
  InitCommit: { ID: "" },
  FirewallBackend: { Driver: "nftables" },
  RegistryConfig: { Mirrors: [] },
} as unknown as SystemInfo;

test("each API version is told the facts it knows, in its form", () => {
  expect(infoFor(info, 51)).toEqual({ ...info });
  expect(infoFor(info, 49)).toEqual({ ...info, BridgeNfIptables: false, BridgeNfIp6tables: false });
  const older = infoFor(info, 46);
  expect(older).not.toHaveProperty("FirewallBackend");
  expect(older["RuncCommit"]).toEqual({ ID: "1.8", Expected: "1.8" });
  expect(older["RegistryConfig"]).toHaveProperty("AllowNondistributableArtifactsCIDRs", null);
  expect(infoFor(info, 41)["KernelMemory"]).toBe(true);
  expect(infoFor(info, 24)["SecurityOptions"]).toEqual(["seccomp", "cgroupns"]);
});
