import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { runCommand } from "../../system/process/process.ts";
import { SealedRuntime } from "./sealed-runtime.ts";

/** An OCI runtime binary on this host: crun or runc, by what it says of itself. */
export interface OciRuntime {
  name: "crun" | "runc";
  path: string;
  version: string;
  /** what to execute: its file, or a copy that containers cannot reach */
  executable(): string;
  globalArguments(stateFolder: string): string[];
}

/** The runtime as a command of ours, up to the name of what it is to do. */
export const commandOf = (runtime: OciRuntime, stateFolder: string): string[] => [
  runtime.executable(),
  ...runtime.globalArguments(stateFolder),
];

/** What the runtime needs of our environment: where to look for programs. */
export const runtimeEnvironment = (): { PATH: string } => ({
  PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
});

export async function findProgram(name: string): Promise<string | undefined> {
  if (name.includes("/")) return (await isExecutable(name)) ? name : undefined;
  const folders = [
    ...(process.env["PATH"] ?? "").split(":"),
    "/usr/local/bin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/libexec/podman",
  ];
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason, it cannot be run
  }
}

/** The first word that looks like a version: "crun version 1.8.1" → "1.8.1". */
export const versionIn = (text: string): string => /\bversion:?\s+v?(\S+)/i.exec(text)?.[1] ?? "unknown";

/** Finds a runtime by name or path; undefined when it is not installed, an error when it cannot run. */
export async function findOciRuntime(nameOrPath: string): Promise<OciRuntime | undefined> {
  const path = await findProgram(nameOrPath);
  if (path === undefined) return undefined;
  const { exitCode, stdout, stderr } = await runCommand([path, "--version"]);
  if (exitCode !== 0)
    throw new EngineError("internal", `${path} --version ended with ${exitCode}: ${stderr.trim()}`);
  const name = /^runc\b/m.test(stdout) ? "runc" : "crun";
  const sealed = name === "crun" ? new SealedRuntime(path) : undefined;
  return {
    name,
    path,
    version: versionIn(stdout),
    executable: () => sealed?.executable() ?? path,
    globalArguments: (state) =>
      name === "crun" ? ["--root", state, "--cgroup-manager", "cgroupfs"] : ["--root", state],
  };
}
