import { rm } from "node:fs/promises";

/** A registry that runs as a process of its own, with a folder that goes with it. */
export class RegistryProcess {
  readonly folder: string;
  /** host and port */
  readonly address: string;
  private readonly process: Bun.Subprocess;

  constructor(folder: string, address: string, child: Bun.Subprocess) {
    this.folder = folder;
    this.address = address;
    this.process = child;
  }

  async destroy(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}
