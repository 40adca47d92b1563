const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

type Field = "magic" | "skippable size" | "descriptor" | "block" | "unknown";

const fieldBytes = { magic: 4, "skippable size": 4, descriptor: 1, block: 3, unknown: 0 } as const;

/**
 * Follows a stream of zstd frames (RFC 8878, 3.1) by their headers, without decompressing, to tell whether it ends where a
 * frame does: decoders keep quiet about a stream that was cut. What is no frame is left to the decoder to refuse.
 */
export class ZstdFrames {
  private field: Field = "magic";
  /** bytes of the field that came, and how many */
  private value = 0;
  private have = 0;
  /** bytes before the next field */
  private skip = 0;
  private hasChecksum = false;
  private begun = 0;

  /** Whether nothing is missing of what began. */
  get complete(): boolean {
    return this.field === "unknown" || (this.field === "magic" && this.have === 0 && this.skip === 0);
  }

  /** Frames that have ended. */
  get whole(): number {
    return this.complete ? this.begun : Math.max(0, this.begun - 1);
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.field !== "unknown"; ) {
      if (this.skip > 0) {
        const part = Math.min(this.skip, bytes.length - at);
        this.skip -= part;
        at += part;
        continue;
      }
      this.value += (bytes[at++] ?? 0) * 2 ** (8 * this.have++);
      if (this.have === fieldBytes[this.field]) this.next();
    }
  }

  private next(): void {
    const { field, value } = this;
    this.value = 0;
    this.have = 0;
    if (field === "magic") this.frame(value);
    else if (field === "descriptor") this.descriptor(value);
    else if (field === "block") this.block(value);
    else {
      this.skip = value;
      this.field = "magic";
    }
  }

  private frame(value: number): void {
    if (value === magic) {
      this.field = "descriptor";
      this.begun++;
    } else this.field = value - (value % 16) === skippableMagic ? "skippable size" : "unknown";
  }

  private descriptor(value: number): void {
    const single = (value & 0x20) !== 0;
    const sizeFlag = (value >> 6) as 0 | 1 | 2 | 3;
    this.hasChecksum = (value & 4) !== 0;
    this.skip =
      (single ? 0 : 1) +
      dictionaryBytes[(value & 3) as 0 | 1 | 2 | 3] +
      (sizeFlag === 0 && single ? 1 : contentSizeBytes[sizeFlag]);
    this.field = "block";
  }

  private block(value: number): void {
    const isLast = (value & 1) !== 0;
    const isRepeatedByte = ((value >> 1) & 3) === 1;
    this.skip = isRepeatedByte ? 1 : value >> 3;
    if (!isLast) return;
    if (this.hasChecksum) this.skip += 4;
    this.field = "magic";
  }
}
