import type { Extent, TarEntry } from "../../lib/tar/entry.ts";
import { close, writeAll, writeAllAt } from "../../system/files/at.ts";
import { shown } from "./names.ts";

/** Writes one file's content, into its extents where it is sparse; `finish` sets the details and closes it. */
export class ContentWriter {
  private readonly fd: number;
  private readonly entry: TarEntry;
  private readonly details: () => void;
  private extent = 0;
  private inExtent = 0;

  constructor(fd: number, entry: TarEntry, details: () => void) {
    this.fd = fd;
    this.entry = entry;
    this.details = details;
  }

  write(bytes: Uint8Array): void {
    const { sparse, name } = this.entry;
    if (sparse === undefined) writeAll(this.fd, bytes, () => `write ${shown(name)}`);
    else this.writeSparse(sparse, bytes);
  }

  private writeSparse(sparse: readonly Extent[], bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const extent = sparse[this.extent];
      if (extent === undefined) return;
      const length = Math.min(extent.length - this.inExtent, bytes.length - at);
      writeAllAt(
        this.fd,
        bytes.subarray(at, at + length),
        extent.offset + this.inExtent,
        () => `write ${shown(this.entry.name)}`,
      );
      at += length;
      this.inExtent += length;
      if (this.inExtent < extent.length) continue;
      this.extent++;
      this.inExtent = 0;
    }
  }

  finish(): void {
    try {
      this.details();
    } finally {
      close(this.fd);
    }
  }

  abandon(): void {
    close(this.fd);
  }
}
