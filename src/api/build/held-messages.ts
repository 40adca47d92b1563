import type { JsonMessage } from "../../types/api.ts";

const heldMax = 4 << 20;

/** What a quiet build would have said, told once it failed. Of too much, the newest is kept. */
export class HeldMessages {
  readonly messages: JsonMessage[] = [];
  private bytes = 0;

  add(messages: readonly JsonMessage[]): void {
    for (const message of messages) {
      this.messages.push(message);
      this.bytes += sizeOf(message);
    }
    while (this.bytes > heldMax) this.bytes -= sizeOf(this.messages.shift());
  }
}

/** The object around the text counts, too. */
const sizeOf = (message: JsonMessage | undefined): number =>
  message === undefined ? 0 : 64 + (message.stream?.length ?? 0);
