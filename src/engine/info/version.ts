import { arch, release } from "node:os";
import type { RuntimeFacts } from "../../runtime/contract.ts";
import type { SystemVersion } from "../../types/system.ts";
import { berthVersion, buildTime, gitCommit, serverVersion } from "./build-info.ts";

const apiVersion = "1.51";
const minApiVersion = "1.24";

/** `GET /version`. */
export function describeVersion(runtime: RuntimeFacts): SystemVersion {
  const facts = {
    ApiVersion: apiVersion,
    Arch: arch() === "x64" ? "amd64" : arch(),
    BuildTime: buildTime(),
    GitCommit: gitCommit,
    GoVersion: `bun${Bun.version}`,
    KernelVersion: release(),
    MinAPIVersion: minApiVersion,
    Os: "linux",
  };
  return {
    Platform: { Name: `Berth ${berthVersion}` },
    Components: [
      { Name: "Engine", Version: serverVersion, Details: { ...facts, Experimental: "false" } },
      { Name: "berth", Version: berthVersion, Details: { GitCommit: gitCommit } },
      { Name: runtime.name, Version: runtime.version, Details: { GitCommit: "" } },
      { Name: "conmon", Version: runtime.conmonVersion, Details: { GitCommit: "" } },
    ],
    Version: serverVersion,
    ...facts,
  };
}
