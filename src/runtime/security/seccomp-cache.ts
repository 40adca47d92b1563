import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { RoleWorker } from "../../system/workers/worker.ts";
import type { Seccomp, Spec } from "../../types/runtime-spec.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import type { CompileRequest } from "./seccomp-worker.ts";

/** crun(1): the filter program itself, so that crun need not compile the profile: half of its time for a container. */
const annotation = "run.oci.seccomp_bpf_data";
const keptProfiles = 16;
/** A program is instructions of eight bytes (`struct sock_filter`); anything else is compiled anew. */
const isProgram = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.length % 8 === 0;

/**
 * Filter programs of the profiles in use, in memory and in a folder of the exec root. A profile that was not met yet is
 * compiled in the background, and crun compiles it itself meanwhile: nobody waits.
 */
export class SeccompCache {
  private readonly programs = new Map<string, string>();
  private readonly compiling = new Set<string>();
  private readonly folder: string;
  private readonly logger: Logger;
  private usable = true;

  constructor(folder: string, logger: Logger) {
    this.folder = folder;
    this.logger = logger;
  }

  /** The spec with its profile's program; unchanged where there is none yet, or the runtime cannot use one. */
  async prepare(spec: Spec, runtime: OciRuntime): Promise<Spec> {
    const { seccomp } = spec.linux;
    if (!seccomp || !this.usable || runtime.name !== "crun" || seccomp.flags?.length) return spec;
    const program = await this.program(seccomp);
    return program === undefined
      ? spec
      : { ...spec, annotations: { ...spec.annotations, [annotation]: program } };
  }

  /** The program, when there is one; else begins to make it. */
  async program(profile: Seccomp): Promise<string | undefined> {
    const key = createHash("sha256").update(JSON.stringify(profile)).digest("hex");
    const known = this.programs.get(key) ?? (await this.onDisk(key));
    if (known === undefined && !this.compiling.has(key)) void this.compile(key, profile);
    return known;
  }

  private file = (key: string): string => join(this.folder, `${key}.bpf`);

  private async onDisk(key: string): Promise<string | undefined> {
    try {
      const program = await readFile(this.file(key));
      return isProgram(program) ? this.keep(key, program.toString("base64")) : undefined;
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  private keep(key: string, program: string): string {
    const [oldest] = this.programs.keys();
    if (oldest !== undefined && this.programs.size >= keptProfiles) this.programs.delete(oldest);
    this.programs.set(key, program);
    return program;
  }

  private async compile(key: string, profile: Seccomp): Promise<void> {
    this.compiling.add(key);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const worker = new RoleWorker("runtime");
      const request: CompileRequest = { profile, file: this.file(key) };
      await worker.call("compile", request).finally(() => worker.terminate());
      await this.onDisk(key);
    } catch (error) {
      // crun goes on compiling profiles itself, and tells what is wrong with one
      this.usable = false;
      this.logger.warn("seccomp profiles are compiled for each container", { error: messageOf(error) });
    } finally {
      this.compiling.delete(key);
    }
  }
}
